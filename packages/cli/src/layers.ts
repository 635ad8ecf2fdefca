// `--use basic-auth?htpasswd=./users` → a layer of @gw/middleware, or of a file.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Middleware } from "@gw/core";
import { loadModule } from "./load-module.ts";
import { StartError, UsageError } from "./usage-error.ts";

/**
 * The layer a text names: a layer of `@gw/middleware` in kebab or camel case with its options after `?`,
 * or a file whose default export is a middleware.
 *
 * @throws UsageError for an unknown layer; StartError if a file has none
 */
export async function layerFromText(text: string, folder: string): Promise<Middleware> {
  const mark = text.indexOf("?");
  const name = mark < 0 ? text : text.slice(0, mark);
  if (/[./]/.test(name)) return layerFromFile(name, folder);
  const options = readLayerOptions(text, mark < 0 ? "" : text.slice(mark + 1));
  const module = await importLayer(kebabOf(name), text);
  const factory = module[camelOf(name)];
  if (typeof factory !== "function")
    throw new UsageError(`--use ${JSON.stringify(text)}: @gw/middleware has no layer "${camelOf(name)}"`);
  return (factory as (options: object) => Middleware)(options);
}

async function importLayer(name: string, text: string): Promise<Record<string, unknown>> {
  try {
    return (await import(`@gw/middleware/${name}`)) as Record<string, unknown>;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED" && code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UsageError(`--use ${JSON.stringify(text)}: @gw/middleware has no layer "${name}"`, { cause: error });
  }
}

async function layerFromFile(name: string, folder: string): Promise<Middleware> {
  const file = resolve(folder, name);
  if (!existsSync(file)) throw new StartError(`layer file ${name} not found (looked for ${file})`);
  const layer = (await loadModule(file)).default;
  if (typeof layer !== "function")
    throw new StartError(`${name}: the default export is no middleware (next) => handler`);
  return layer as Middleware;
}

/** `true`, `false` and whole numbers become themselves; a repeated name becomes a list. */
function readLayerOptions(text: string, query: string): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "") throw new UsageError(`--use ${JSON.stringify(text)}: an option without a name`);
    const read = value === "true" ? true : value === "false" ? false : /^\d+$/.test(value) ? Number(value) : value;
    const before = options[name];
    options[name] = before === undefined ? read : [...(Array.isArray(before) ? before : [before]), read];
  }
  return options;
}

function kebabOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function camelOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
