// `file.ts`, `file.mjs:name`: an app exported by a file.
import { resolve } from "node:path";
import type { AppSource } from "@gw/core";
import { appFromValue, detectShape, type Shape, type ShapeOptions } from "../app/app-shape.ts";
import { fs } from "../builtins.ts";
import { loadModule } from "../modules/load-module.ts";
import { didYouMean } from "../suggest.ts";
import { StartError, UsageError } from "../usage-error.ts";
import { readOptions, type Target, type TargetOptions } from "./target.ts";
import { type ThreadTargetOptions, threadedApp } from "./threaded-app.ts";

/** What decides how a file's export is read; options of the target win. */
export interface FileAppOptions {
  /** Folder that relative names start from. */
  folder: string;
  shape: Shape | "auto";
  lifespan: ShapeOptions["lifespan"];
  /** Load past the module cache. */
  fresh: boolean;
  /** Threads for a WSGI-shaped app; 0: the main thread. */
  threads: number;
  /** Whether nothing else is served, so that an app that cannot be loaded ends the command. */
  isAlone: boolean;
}

/** Options of a file after `?`. */
export const FILE_OPTIONS: TargetOptions = {
  interface: ["auto", "app", "handler", "fetch", "wsgi", "asgi"],
  lifespan: ["auto", "on", "off"],
  threads: "number",
  timeoutMs: "number",
  maxRequests: "number",
  maxQueued: "number",
  queueTimeoutMs: "number",
  maxStreams: "number",
  bufferBodies: "switch",
};

/** What such options become. */
interface FileOptions extends ThreadTargetOptions, Pick<ShapeOptions, "lifespan"> {
  readonly interface?: Shape | "auto";
  readonly threads?: number;
}

/** The file and the name of the export that a place means: `./app.ts:admin` → `./app.ts`, `admin`. */
export function splitExport(place: string): { file: string; name: string } {
  const match = /^(.+):([A-Za-z_$][\w$]*)$/.exec(place);
  return match === null ? { file: place, name: "default" } : { file: match[1] as string, name: match[2] as string };
}

/**
 * Loads the app that a file exports.
 *
 * @throws StartError if the file, the export or its shape is not there
 */
export async function fileApp(target: Target, given: FileAppOptions): Promise<AppSource> {
  const { folder, fresh, isAlone } = given;
  const { interface: named, lifespan, threads = given.threads, ...rest } = fileOptions(target, folder);
  const { file, name } = splitExport(target.place);
  const path = appPath(folder, file);
  const shape = named ?? given.shape;
  const title = name === "default" ? file : `${file}:${name}`;
  const inThreads = (): Promise<AppSource> =>
    threadedApp({ path, name, title, options: { ...rest, threads, required: isAlone } });
  // Told its shape, the command never loads the app itself: it runs in the threads alone.
  if (shape === "wsgi" && threads > 0) return inThreads();
  const value = exportOf(await loadModule(path, { fresh }), name, file);
  if (shape === "auto" && threads > 0 && detectShape(value, title) === "wsgi") return inThreads();
  if (Object.keys(rest).length > 0) throw onlyForThreads(target, Object.keys(rest));
  return appFromValue(value, { shape, lifespan: lifespan ?? given.lifespan, name: title });
}

function fileOptions(target: Target, folder: string): FileOptions {
  return readOptions(target, FILE_OPTIONS, folder);
}

function onlyForThreads({ text }: Target, names: readonly string[]): UsageError {
  const verb = names.length === 1 ? "is" : "are";
  return new UsageError(`app ${JSON.stringify(text)}: ${names.join(", ")} ${verb} for WSGI-shaped apps on threads`);
}

function appPath(folder: string, file: string): string {
  const path = resolve(folder, file);
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new StartError(`app file ${file} not found (looked for ${path})`);
  if (found.isFile()) return path;
  throw new StartError(
    `app ${file} is no file; for a directory say what it holds: static:${file}, cgi-bin:${file}, git:${file}`,
  );
}

/** The export of a module, by its name. @throws StartError naming those that are there */
export function exportOf(exports: Readonly<Record<string, unknown>>, name: string, file: string): unknown {
  if (name in exports) return exports[name];
  const names = Object.keys(exports).filter((one) => one !== "__esModule" && one !== "module.exports");
  if (names.length === 0) throw new StartError(`${file} exports nothing; export the app as default`);
  const found = names.join(", ");
  throw new StartError(
    name === "default"
      ? `${file} has no default export; export the app as default, or name it: ${file}:${names[0]} (it exports ${found})`
      : `${file} does not export "${name}"${didYouMean(name, names)}; it exports ${found}`,
  );
}
