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
  const jiti = createJiti(pathToFileURL(file).href, { moduleCache: load === 0, fsCache: false });
  const exports =
    source === undefined
      ? await jiti.import<object>(file)
      : ((await jiti.evalModule(source, { filename: file, ext: ".ts", async: true })) as object);
  return asNamespace(exports);
}

/** What CommonJS exports is its default export, as `import` has it. */
function asNamespace(exports: object): Readonly<Record<string, unknown>> {
  const isModule = "default" in exports || Object.hasOwn(exports, "__esModule");
  return isModule ? { ...exports } : { ...exports, default: exports };
}

/** The folder of the package that a file is in, else its own; ends with a slash. */
function packageFolder(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder + sep;
  }
  return dirname(file) + sep;
}
