// Files that the runtime cannot read itself, through jiti: compiled in memory, with no cache on disk.
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Jiti from "jiti";
import { jitiUrl } from "./module-hooks.ts";

/** How to import through jiti. */
export interface JitiImportOptions {
  /** Number of the load; the module and what it imports are evaluated once in each. */
  load: number;
  /** Text of a file without an extension, which jiti cannot read itself. */
  source?: string;
}

/** Imports a TypeScript or JavaScript file. */
export async function importThroughJiti(
  file: string,
  { load, source }: JitiImportOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { createJiti } = (await import(jitiUrl(import.meta.resolve("jiti"), load, packageFolder(file)))) as typeof Jiti;
  // jiti's cache on disk lies in a folder that others may be able to write to: what lies there would be run.
  const options = { moduleCache: load === 0, fsCache: false, interopDefault: false };
  const jiti = createJiti(pathToFileURL(file).href, options);
  const exports =
    source === undefined
      ? await jiti.import(file)
      : await jiti.evalModule(source, { filename: file, ext: ".ts", async: true });
  return exports as Readonly<Record<string, unknown>>;
}

/** The folder of the package that a file is in, else its own; ends with a slash. */
function packageFolder(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder + sep;
  }
  return dirname(file) + sep;
}
