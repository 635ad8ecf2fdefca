// Finds and reads the configuration file; every key is checked.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { loadModule } from "../load-module.ts";
import { didYouMean } from "../suggest.ts";
import { StartError, UsageError } from "../usage-error.ts";
import type { Config } from "./config.ts";
import { OPTIONS } from "./options.ts";

/** A configuration file that was read. */
export interface ConfigFile {
  /** Absolute path. */
  readonly file: string;
  readonly config: Config;
}

/** The names that are looked for when no app is named. */
export const CONFIG_NAMES = [
  "gw.config.ts",
  "gw.config.mts",
  "gw.config.js",
  "gw.config.mjs",
  "gw.config.json",
] as const;

const APP_KEYS: readonly string[] = ["app", "mounts", "use"];
const SETTING_KEYS: readonly string[] = OPTIONS.filter(({ only }) => only?.[0] !== "fetch")
  .map(({ key }) => key)
  .filter((key) => !["config", "mount", "use"].includes(key));

/** The configuration file to read: the named one, else the first of `CONFIG_NAMES` in the folder, else `null`. */
export function findConfigFile(folder: string, named: string | undefined): string | null {
  if (named !== undefined) {
    const file = resolve(folder, named);
    if (!existsSync(file)) throw new StartError(`configuration file ${named} not found (looked for ${file})`);
    return file;
  }
  const name = CONFIG_NAMES.find((one) => existsSync(join(folder, one)));
  return name === undefined ? null : join(folder, name);
}

/**
 * Reads and checks a configuration file.
 *
 * Its default export is a Config, a table of mounts (every key a path), or an app (`gateway()…`).
 *
 * @throws UsageError for an unknown key or a value that does not fit; StartError if it cannot be loaded
 */
export async function readConfigFile(file: string, { fresh = false }: { fresh?: boolean } = {}): Promise<ConfigFile> {
  const exported = file.endsWith(".json") ? await readJson(file) : (await loadModule(file, { fresh })).default;
  return { file, config: checkConfig(basename(file), exported) };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch (error) {
    throw new StartError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Turns what a file exports into a Config, or says which key is wrong. Pure. */
export function checkConfig(name: string, exported: unknown): Config {
  if (exported === undefined)
    throw new UsageError(`${name}: no default export; expected a configuration, a mount table or an app`);
  if (
    typeof exported === "function" ||
    typeof (exported as Partial<Record<string, unknown>> | null)?.handle === "function"
  ) {
    return { app: exported as NonNullable<Config["app"]> };
  }
  if (typeof exported !== "object" || exported === null || Array.isArray(exported)) {
    throw new UsageError(
      `${name}: the default export is ${JSON.stringify(exported)}; expected a configuration, a mount table or an app`,
    );
  }
  const keys = Object.keys(exported);
  if (keys.length > 0 && keys.every((key) => key.startsWith("/"))) {
    return { mounts: checkMounts(name, exported as Record<string, unknown>) };
  }
  return checkKeys(name, exported as Record<string, unknown>);
}

function checkKeys(name: string, config: Record<string, unknown>): Config {
  const allowed = [...APP_KEYS, ...SETTING_KEYS];
  for (const key of Object.keys(config)) {
    if (!allowed.includes(key)) {
      throw new UsageError(
        `${name}: unknown key ${JSON.stringify(key)}${didYouMean(key, allowed)}; allowed: ${allowed.join(", ")}`,
      );
    }
  }
  if (config.mounts !== undefined) {
    if (typeof config.mounts !== "object" || config.mounts === null)
      throw new UsageError(
        `${name}: mounts: found ${JSON.stringify(config.mounts)}, expected an object of prefix → app`,
      );
    checkMounts(`${name}: mounts`, config.mounts as Record<string, unknown>);
  }
  if (config.use !== undefined && !Array.isArray(config.use)) {
    throw new UsageError(`${name}: use: found ${JSON.stringify(config.use)}, expected a list of layers`);
  }
  return config as Config;
}

function checkMounts(name: string, mounts: Record<string, unknown>): NonNullable<Config["mounts"]> {
  for (const [where, app] of Object.entries(mounts)) {
    const fits = typeof app === "string" || typeof app === "function" || (typeof app === "object" && app !== null);
    if (!fits)
      throw new UsageError(
        `${name}[${JSON.stringify(where)}]: found ${JSON.stringify(app)}, expected an app or a text such as "cgi-bin:./dir"`,
      );
  }
  return mounts as NonNullable<Config["mounts"]>;
}
