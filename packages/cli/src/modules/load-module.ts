// Loads a JavaScript or TypeScript file without a build step.
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { fs, nodeModule } from "../builtins.ts";
import { shortPath } from "../short-path.ts";
import { StartError } from "../usage-error.ts";
import type { JitiImportOptions } from "./jiti-import.ts";
import { load, loadUrl, resolve, scriptUrl } from "./module-hooks.ts";

/** What a module exports. */
export type ModuleExports = Readonly<Record<string, unknown>>;

const JAVASCRIPT = [".js", ".mjs", ".cjs"];
const TYPESCRIPT = [".ts", ".mts", ".cts"];

/** Node strips types itself: from 22.18 on, unless told not to. */
const canStripTypes = Boolean((process.features as { typescript?: unknown }).typescript);

/**
 * Imports a file: natively where the runtime can, else through jiti: TypeScript on Node 20, and what cannot be
 * stripped away (enums, imports without an extension).
 *
 * @param fresh evaluate the file, and all it imports by a relative path, anew: for reloads. Packages stay as they are.
 * @throws StartError `GW_START` in one line: what went wrong, and where
 */
export async function loadModule(file: string, { fresh = false }: { fresh?: boolean } = {}): Promise<ModuleExports> {
  const isScript = ![...JAVASCRIPT, ...TYPESCRIPT].includes(extname(file));
  if (isScript) requireScript(file);
  try {
    if (fresh) beginLoad();
    return isScript ? await importScript(file) : await importFile(file);
  } catch (error) {
    const { loadErrorText } = await import("./load-error.ts");
    throw new StartError(`cannot load ${shortPath(file)}: ${await loadErrorText(error, file)}`, { cause: error });
  }
}

async function importFile(file: string): Promise<ModuleExports> {
  const isTypeScript = TYPESCRIPT.includes(extname(file));
  if (isTypeScript && !canStripTypes) return importThroughJiti(file, { load: loads });
  try {
    return (await import(loadUrl(pathToFileURL(file).href, loads))) as ModuleExports;
  } catch (error) {
    if (!isForJiti(error, isTypeScript)) throw error;
    return await importThroughJiti(file, { load: loads }).catch((second: unknown) => {
      throw (error as { code?: string }).code === "ERR_MODULE_NOT_FOUND" ? error : second;
    });
  }
}

/** jiti's own files are read only where they are needed. */
async function importThroughJiti(file: string, options: JitiImportOptions): Promise<ModuleExports> {
  const jiti = await import("./jiti-import.ts");
  return jiti.importThroughJiti(file, options);
}

const NOT_STRIPPED = [
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", // enums, namespaces, parameter properties
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
  "ERR_UNKNOWN_FILE_EXTENSION", // a .ts file imported by a .js file on Node 20
];

/** Whether jiti can do what the runtime could not. These errors come before any code of the module has run. */
function isForJiti(error: unknown, isTypeScript: boolean): boolean {
  const { code, url } = (error ?? {}) as { code?: string; url?: string };
  if (NOT_STRIPPED.includes(code ?? "")) return true;
  // `./x` and `./x.js` for x.ts: usual where a bundler or tsc would read it
  return (
    isTypeScript && (code === "ERR_UNSUPPORTED_DIR_IMPORT" || (code === "ERR_MODULE_NOT_FOUND" && url !== undefined))
  );
}

async function importScript(file: string): Promise<ModuleExports> {
  if (canStripTypes && hookLoader()) {
    try {
      return (await import(scriptUrl(pathToFileURL(file).href, loads))) as ModuleExports;
    } catch (error) {
      if (!isForJiti(error, true)) throw error;
    }
  }
  return importThroughJiti(file, { load: loads, source: fs.readFileSync(file, "utf8").replace(/^#!.*/, "") });
}

/** A file with an extension that is not ours is a program in another language, unless its first line says otherwise. */
function requireScript(file: string): void {
  const extension = extname(file);
  if (extension === "" || firstBytes(file, 2) === "#!") return;
  const name = shortPath(file);
  const hint = /^\.(php|pl|py|rb|sh|lua|tcl)$/.test(extension) ? `; to run it as a CGI program: cgi:${name}` : "";
  throw new StartError(
    `cannot load ${name}: found a ${extension} file, expected ${[...TYPESCRIPT, ...JAVASCRIPT].join(", ")} or a script that starts with #!${hint}`,
  );
}

function firstBytes(file: string, count: number): string {
  const bytes = Buffer.alloc(count);
  const descriptor = fs.openSync(file, "r");
  try {
    return bytes.toString("latin1", 0, fs.readSync(descriptor, bytes, 0, count, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Number of the current load: 0 until the first fresh one. */
let loads = 0;

/** From here on, files are evaluated anew. CommonJS has a cache that can be emptied; ES modules need new addresses. */
function beginLoad(): void {
  loads++;
  hookLoader();
  const { cache } = nodeModule.createRequire(import.meta.url);
  for (const name of Object.keys(cache)) if (!/[\\/]node_modules[\\/]/.test(name)) delete cache[name];
}

let isHooked: boolean | null = null;

/** Puts the hooks in place, once. `false`: the runtime has them in the loader's thread only, where none is for scripts. */
function hookLoader(): boolean {
  if (isHooked !== null) return isHooked;
  const { registerHooks } = nodeModule as Partial<typeof nodeModule>; // Node 22.15 on
  isHooked = registerHooks !== undefined;
  if (registerHooks === undefined) nodeModule.register("./module-hooks.js", import.meta.url);
  else registerHooks({ resolve, load } as Parameters<typeof registerHooks>[0]);
  return isHooked;
}
