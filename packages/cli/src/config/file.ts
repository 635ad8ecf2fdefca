// Finds and reads the configuration file; every key is checked.
import { join, resolve } from "node:path";
import { fs } from "../builtins.ts";
import { loadModule } from "../modules/load-module.ts";
import { shortPath } from "../short-path.ts";
import { StartError } from "../usage-error.ts";
import { checkConfig } from "./check.ts";
import type { Config } from "./config.ts";

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

/** The configuration file to read: the named one, else the first of `CONFIG_NAMES` in the folder, else `null`. */
export function findConfigFile(folder: string, named: string | undefined): string | null {
  if (named !== undefined) {
    const file = resolve(folder, named);
    if (!fs.existsSync(file)) throw new StartError(`configuration file ${named} not found (looked for ${file})`);
    return file;
  }
  const name = CONFIG_NAMES.find((one) => fs.existsSync(join(folder, one)));
  return name === undefined ? null : join(folder, name);
}

/**
 * Reads and checks a configuration file.
 *
 * Its default export is a Config, a table of mounts (every key a path or a host), or an app (`gateway()…`).
 *
 * @param fresh past the module cache, for reloads
 * @throws UsageError for an unknown key or a value that does not fit; StartError if it cannot be loaded
 */
export async function readConfigFile(file: string, { fresh = false }: { fresh?: boolean } = {}): Promise<ConfigFile> {
  const exported = file.endsWith(".json") ? readJson(file) : (await loadModule(file, { fresh })).default;
  return { file, config: checkConfig(shortPath(file), exported) };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as unknown;
  } catch (error) {
    throw new StartError(`cannot read ${shortPath(file)}: ${(error as Error).message}`, { cause: error });
  }
}
