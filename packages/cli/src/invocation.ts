// What a command is given: its arguments, settings from all sources, and where to print.
import { resolve } from "node:path";
import type { CommandLine } from "./config/arguments.ts";
import { type ConfigFile, findConfigFile, readConfigFile } from "./config/file.ts";
import {
  type EffectiveSettings,
  effectiveSettings,
  settingsFromEnvironment,
  settingsFromFile,
} from "./config/settings.ts";
import { StartError } from "./usage-error.ts";

/** The process as a command sees it; tests give their own. */
export interface Surroundings {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly stdout: { write(text: string | Uint8Array): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** A command ready to run. */
export interface Invocation extends Surroundings {
  readonly command: string;
  readonly operands: readonly string[];
  readonly settings: EffectiveSettings;
  readonly configFile: ConfigFile | null;
}

/**
 * Reads flags, environment and configuration file of one call.
 *
 * A configuration file is looked for only when no app is named or when `--config` names one.
 */
export async function invocationOf(
  line: CommandLine,
  surroundings: Surroundings,
  { appOperand }: { appOperand: string | undefined },
): Promise<Invocation> {
  const { folder, environment } = surroundings;
  loadEnvFile(folder, line.settings.envFile ?? environment.GW_ENV_FILE);
  const fromEnvironment = settingsFromEnvironment(line.command, environment);
  const configFile = await configFileOf(folder, line, fromEnvironment.config, appOperand);
  const fromFile =
    configFile === null
      ? {}
      : settingsFromFile(configFile.file, line.command, configFile.config as Readonly<Record<string, unknown>>);
  return {
    ...surroundings,
    command: line.command,
    operands: line.operands,
    settings: effectiveSettings(line.settings, fromEnvironment, fromFile),
    configFile,
  };
}

async function configFileOf(
  folder: string,
  line: CommandLine,
  fromEnvironment: unknown,
  appOperand: string | undefined,
): Promise<ConfigFile | null> {
  const named = (line.settings.config ?? fromEnvironment) as string | undefined;
  if (appOperand !== undefined && named === undefined) return null;
  const file = findConfigFile(folder, named);
  return file === null ? null : readConfigFile(file);
}

function loadEnvFile(folder: string, name: unknown): void {
  if (typeof name !== "string") return;
  try {
    process.loadEnvFile(resolve(folder, name));
  } catch (error) {
    throw new StartError(`cannot read --env-file ${name}: ${(error as Error).message}`, { cause: error });
  }
}
