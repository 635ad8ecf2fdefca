// Loads a JavaScript or TypeScript file without a build step.
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { StartError } from "./usage-error.ts";

/** What a module exports. */
export type ModuleExports = Readonly<Record<string, unknown>>;

const JAVASCRIPT = [".js", ".mjs", ".cjs"];
const TYPESCRIPT = [".ts", ".mts", ".cts", ".tsx", ".jsx"];

/**
 * Imports a file: natively where the runtime can, else through jiti (TypeScript on Node 20,
 * files without an extension such as `#!/usr/bin/env gw` scripts, and every fresh load).
 *
 * @param fresh evaluate the file and what it imports by relative path anew, past the module cache: for reloads
 * @throws StartError `GW_START` with the first line of what went wrong
 */
export async function loadModule(file: string, { fresh = false }: { fresh?: boolean } = {}): Promise<ModuleExports> {
  try {
    if (!fresh && isNative(file)) return await importNative(file);
    return await importThroughJiti(file, fresh);
  } catch (error) {
    throw new StartError(`cannot load ${file}: ${firstLine(error)}`, { cause: error });
  }
}

function isNative(file: string): boolean {
  const extension = extname(file);
  if (JAVASCRIPT.includes(extension)) return true;
  const canStrip = Boolean((process.features as { typescript?: unknown }).typescript);
  return canStrip && TYPESCRIPT.slice(0, 3).includes(extension);
}

async function importNative(file: string): Promise<ModuleExports> {
  try {
    return (await import(pathToFileURL(file).href)) as ModuleExports;
  } catch (error) {
    // Enums, namespaces and parameter properties cannot be stripped away; jiti compiles them.
    if ((error as { code?: string }).code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX")
      return importThroughJiti(file, false);
    throw error;
  }
}

async function importThroughJiti(file: string, fresh: boolean): Promise<ModuleExports> {
  const { createJiti } = await import("jiti");
  const jiti = createJiti(pathToFileURL(file).href, { moduleCache: !fresh, fsCache: false, interopDefault: false });
  if ([...JAVASCRIPT, ...TYPESCRIPT].includes(extname(file))) return (await jiti.import(file)) as ModuleExports;
  const source = (await readFile(file, "utf8")).replace(/^#!.*/, "");
  return (await jiti.evalModule(source, { filename: file, ext: ".ts", async: true })) as ModuleExports;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] as string;
}
