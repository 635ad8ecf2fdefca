// `file.ts`, `file.mjs:name`: an app exported by a file.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { AppSource } from "@gw/core";
import { appFromValue, type Shape } from "../app-shape.ts";
import { loadModule } from "../load-module.ts";
import { didYouMean } from "../suggest.ts";
import { StartError } from "../usage-error.ts";
import { readOptions, type Target } from "./target.ts";

/** What decides how a file's export is read. */
export interface FileAppOptions {
  /** Folder that relative names start from. */
  folder: string;
  shape: Shape | "auto";
  lifespan?: "auto" | "on" | "off" | undefined;
  /** Load past the module cache. */
  fresh: boolean;
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
export async function fileApp(target: Target, { folder, shape, lifespan, fresh }: FileAppOptions): Promise<AppSource> {
  readOptions(target, {});
  const { file, name } = splitExport(target.place);
  const path = resolve(folder, file);
  if (!existsSync(path)) throw new StartError(`app file ${file} not found (looked for ${path})`);
  const exports = await loadModule(path, { fresh });
  if (!(name in exports)) {
    const names = Object.keys(exports).filter((one) => one !== "__esModule");
    const found = names.length === 0 ? "nothing" : names.join(", ");
    throw new StartError(
      name === "default"
        ? `${file} has no default export (it exports ${found}); export the app as default, or name it: ${file}:${names[0] ?? "app"}`
        : `${file} does not export "${name}"${didYouMean(name, names)}; it exports ${found}`,
    );
  }
  return appFromValue(exports[name], { shape, lifespan, name: name === "default" ? file : `${file}:${name}` });
}
