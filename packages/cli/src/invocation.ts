// What a command is given: its arguments, settings from all sources, and where to print.
import { dirname, resolve } from "node:path";
import { fs } from "./builtins.ts";
import type { CommandLine } from "./config/arguments.ts";
import { type ConfigFile, findConfigFile, readConfigFile } from "./config/file.ts";
import {
  type EffectiveSettings,
  effectiveSettings,
  settingsFromEnvironment,
  settingsFromFile,
  withPathsFrom,
} from "./config/settings.ts";
import { shortPath } from "./short-path.ts";
import { StartError } from "./usage-error.ts";

/** The process as a command sees it; tests give their own. */
export interface Surroundings {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly stdout: { write(text: string | Uint8Array, done?: () => void): boolean };
  readonly stderr: { write(text: string): unknown };
  /** Sockets that a service manager has opened for us; absent: not looked for yet. */
  readonly activatedBinds?: readonly string[] | null;
}

/** A command ready to run. */
export interface Invocation extends Surroundings {
  readonly command: string;
  readonly operands: readonly string[];
  readonly settings: EffectiveSettings;
  readonly configFile: ConfigFile | null;
  /** The same call again, with the configuration file as it is now. */
  reread(): Promise<Invocation>;
}

/** What decides where the configuration comes from. */
export interface InvocationOptions {
  /** The app the command line names. */
  appOperand: string | undefined;
  /** Read the configuration file past the module cache. */
  fresh?: boolean;
}

/**
 * Reads flags, environment and configuration file of one call.
 *
 * A configuration file is looked for only when no app is named or when `--config` names one.
 */
export async function invocationOf(
  line: CommandLine,
  surroundings: Surroundings,
  { appOperand, fresh = false }: InvocationOptions,
): Promise<Invocation> {
  const { folder, environment } = surroundings;
  await readEnvFile(folder, line.settings.envFile ?? environment.GW_ENV_FILE, environment);
  const file = configFileName(folder, line, { environment, appOperand });
  const configFile = file === null ? null : await readConfigFile(file, { fresh });
  const fromFile = configFile === null ? {} : readSettings(configFile, line.command);
  await readEnvFile(folder, fromFile.envFile, environment);
  const activatedBinds = surroundings.activatedBinds ?? (await takeSockets(environment));
  return {
    ...surroundings,
    command: line.command,
    operands: line.operands,
    settings: effectiveSettings(
      withPathsFrom(folder, line.settings),
      withPathsFrom(folder, settingsFromEnvironment(line.command, environment)),
      fromFile,
      activatedBinds === null || line.command === "ctl" ? {} : { bind: activatedBinds },
    ),
    configFile,
    reread: () => invocationOf(line, { ...surroundings, activatedBinds }, { appOperand, fresh: true }),
  };
}

async function takeSockets(environment: NodeJS.ProcessEnv): Promise<readonly string[] | null> {
  if (environment.LISTEN_FDS === undefined) return null;
  return (await import("./serving/systemd.ts")).takeActivatedBinds(environment, process.pid);
}

function configFileName(
  folder: string,
  line: CommandLine,
  { environment, appOperand }: { environment: NodeJS.ProcessEnv; appOperand: string | undefined },
): string | null {
  const named = (line.settings.config ?? environment.GW_CONFIG) as string | undefined;
  if (named === undefined || named === "") return appOperand === undefined ? findConfigFile(folder, undefined) : null;
  return findConfigFile(folder, named);
}

function readSettings({ file, config }: ConfigFile, command: string): ReturnType<typeof settingsFromFile> {
  const settings = settingsFromFile(shortPath(file), command, config as Readonly<Record<string, unknown>>);
  return withPathsFrom(dirname(file), settings);
}

/** Adds the variables of a file to the environment; those that are set already stay. */
async function readEnvFile(folder: string, name: unknown, environment: NodeJS.ProcessEnv): Promise<void> {
  if (typeof name !== "string" || name === "") return;
  const { parseEnv } = await import("node:util"); // three milliseconds that most starts do without
  try {
    const variables = parseEnv(fs.readFileSync(resolve(folder, name), "utf8"));
    for (const [key, value] of Object.entries(variables)) environment[key] ??= value as string;
  } catch (error) {
    throw new StartError(`cannot read --env-file ${name}: ${(error as Error).message}`, { cause: error });
  }
}
