// `file.ts`, `file.mjs:name`: an app exported by a file.
import { resolve } from "node:path";
import type { AppSource } from "@gw/core";
import { appFromValue, type Shape, type ShapeOptions } from "../app/app-shape.ts";
import { fs } from "../builtins.ts";
import { loadModule } from "../modules/load-module.ts";
import { didYouMean } from "../suggest.ts";
import { StartError } from "../usage-error.ts";
import { readOptions, type Target, type TargetOptions } from "./target.ts";

/** What decides how a file's export is read; options of the target win. */
export interface FileAppOptions {
  /** Folder that relative names start from. */
  folder: string;
  shape: Shape | "auto";
  lifespan: ShapeOptions["lifespan"];
  /** Load past the module cache. */
  fresh: boolean;
}

/** Options of a file after `?`. */
export const FILE_OPTIONS: TargetOptions = {
  interface: ["auto", "app", "handler", "fetch", "wsgi", "asgi"],
  lifespan: ["auto", "on", "off"],
};

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
  const { folder, fresh } = given;
  const options = readOptions(target, FILE_OPTIONS, folder) as Partial<{ interface: Shape | "auto" }> &
    Pick<ShapeOptions, "lifespan">;
  const { file, name } = splitExport(target.place);
  const path = resolve(folder, file);
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new StartError(`app file ${file} not found (looked for ${path})`);
  if (!found.isFile())
    throw new StartError(
      `app ${file} is no file; for a directory say what it holds: static:${file}, cgi-bin:${file}, git:${file}`,
    );
  const value = exportOf(await loadModule(path, { fresh }), name, file);
  return appFromValue(value, {
    shape: options.interface ?? given.shape,
    lifespan: options.lifespan ?? given.lifespan,
    name: name === "default" ? file : `${file}:${name}`,
  });
}

function exportOf(exports: Readonly<Record<string, unknown>>, name: string, file: string): unknown {
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
