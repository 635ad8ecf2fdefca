// Which folders `--reload` watches.
import { dirname, resolve } from "node:path";
import { isMountReference } from "../config/check.ts";
import type { Invocation } from "../invocation.ts";
import { splitExport } from "../targets/file.ts";
import { TARGET_NAMES } from "../targets/kinds.ts";
import { parseTarget } from "../targets/target.ts";

/** `--reload-dir`, else the folders of the app's file, of mounted files, of layers and of the configuration file. */
export function foldersToWatch({ folder, operands, settings, configFile }: Invocation): readonly string[] {
  const named = settings.list("reloadDir");
  if (named.length > 0) return named;
  const { app, mounts = {}, use = [] } = configFile?.config ?? {};
  const fileFolder = configFile === null ? folder : dirname(configFile.file);
  const fromShell = [operands[0], ...settings.list("mount").map((text) => text.slice(text.indexOf("=") + 1))];
  const fromFile = [app, ...Object.values(mounts).map((mount) => (isMountReference(mount) ? mount.app : mount))];
  const folders = [
    ...fromShell.flatMap((reference) => folderOf(reference, folder)),
    ...fromFile.flatMap((reference) => folderOf(reference, fileFolder)),
    ...settings.list("use").flatMap((text) => folderOfLayer(text, folder)),
    ...use.flatMap((layer) => folderOfLayer(layer, fileFolder)),
    ...(configFile === null ? [] : [fileFolder]),
  ];
  const all = [...new Set(folders)];
  return all.length > 0 ? all : [folder];
}

function folderOf(reference: unknown, folder: string): string[] {
  if (typeof reference !== "string") return [];
  const target = parseTarget(reference, TARGET_NAMES);
  return target.kind === "file" ? [dirname(resolve(folder, splitExport(target.place).file))] : [];
}

function folderOfLayer(layer: unknown, folder: string): string[] {
  if (typeof layer !== "string") return [];
  const [name] = layer.split("?") as [string];
  return /[./]/.test(name) ? [dirname(resolve(folder, name))] : [];
}
