// `--use basic-auth?htpasswd=./users` → a layer of @gw/middleware, or of a file.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { Middleware } from "@gw/core";
import { loadModule } from "../modules/load-module.ts";
import { didYouMean } from "../suggest.ts";
import { StartError, UsageError } from "../usage-error.ts";

/**
 * The layer a text names: a layer of `@gw/middleware` in kebab or camel case with its options after `?`,
 * or a file whose default export is a middleware.
 *
 * @param folder relative paths start from it: of the file, and of options that begin with `./` or `../`
 * @throws UsageError for an unknown layer or options it does not take; StartError if a file has none
 */
export async function layerFromText(text: string, folder: string): Promise<Middleware> {
  const mark = text.indexOf("?");
  const name = mark < 0 ? text : text.slice(0, mark);
  if (/[./]/.test(name)) return layerFromFile(name, folder);
  const options = readLayerOptions(text, mark < 0 ? "" : text.slice(mark + 1), folder);
  const factory = (await importLayer(kebabOf(name), text))[camelOf(name)];
  if (typeof factory !== "function") throw unknownLayer(text, name, layerNames());
  try {
    return (factory as (options: object) => Middleware)(options);
  } catch (error) {
    throw new UsageError(`--use ${text}: ${(error as Error).message}`, { cause: error });
  }
}

/** What we read of the package.json of `@gw/middleware`. */
interface Manifest {
  readonly exports: object;
  readonly peerDependencies: object;
}

const manifest = (): Manifest => createRequire(import.meta.url)("@gw/middleware/package.json") as Manifest;

/** Entries that are no layers: what layers take. */
const NO_LAYERS: readonly string[] = ["passwords", "redis-counters"];

/** The subpaths of `@gw/middleware` that are layers; those of a layer's parts have a slash more. */
function layerNames(): string[] {
  return Object.keys(manifest().exports)
    .map((subpath) => subpath.slice(2))
    .filter((name) => /^[a-z-]+$/.test(name) && !NO_LAYERS.includes(name));
}

async function importLayer(name: string, text: string): Promise<Record<string, unknown>> {
  const names = layerNames();
  if (!names.includes(name)) throw unknownLayer(text, name, names);
  const specifier = `@gw/middleware/${name}`;
  try {
    return (await import(specifier)) as Record<string, unknown>;
  } catch (error) {
    throw withMissingPeer(error, text);
  }
}

/** The error of an import, or one that says which package is to be installed: what few layers need is not installed with all. */
function withMissingPeer(error: unknown, text: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const peers = code === "ERR_MODULE_NOT_FOUND" ? Object.keys(manifest().peerDependencies) : [];
  const missing = peers.find((peer) => message.includes(`'${peer}'`));
  if (missing === undefined) return error;
  return new StartError(`--use ${text} needs the package ${missing}: npm i ${missing}`, { cause: error });
}

function unknownLayer(text: string, name: string, names: readonly string[]): UsageError {
  const allowed = `allowed: ${names.join(", ")}, or a file such as ./layer.ts`;
  return new UsageError(`--use ${text}: @gw/middleware has no layer "${name}"${didYouMean(name, names)}; ${allowed}`);
}

async function layerFromFile(name: string, folder: string): Promise<Middleware> {
  const file = resolve(folder, name);
  if (!existsSync(file)) throw new StartError(`layer file ${name} not found (looked for ${file})`);
  const layer = (await loadModule(file)).default;
  if (typeof layer !== "function")
    throw new StartError(`${name}: the default export is no middleware, (next) => handler`);
  return layer as Middleware;
}

/** `true`, `false` and whole numbers become themselves, `./x` a path; a repeated name becomes a list. */
function readLayerOptions(text: string, query: string, folder: string): Record<string, unknown> {
  const options = new Map<string, unknown>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "") throw new UsageError(`--use ${text}: an option without a name`);
    const before = options.get(name);
    const read = readLayerValue(value, folder);
    options.set(name, before === undefined ? read : [...(Array.isArray(before) ? before : [before]), read]);
  }
  return Object.fromEntries(options);
}

function readLayerValue(value: string, folder: string): unknown {
  if (value === "true" || value === "false") return value === "true";
  if (/^\d{1,15}$/.test(value)) return Number(value);
  return /^\.{1,2}\//.test(value) ? resolve(folder, value) : value;
}

function kebabOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function camelOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
