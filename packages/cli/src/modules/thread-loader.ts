// Loads the app of a worker thread: as the command loads its own, TypeScript on Node 20 included.
import { shortPath } from "../short-path.ts";
import { exportOf } from "../targets/file.ts";
import { loadModule } from "./load-module.ts";

/**
 * The export of a file, for the `loader` of `wsgiThreads`.
 *
 * @throws StartError if the file, or the export, is not there or cannot be loaded
 */
export async function load(file: string, exportName: string): Promise<unknown> {
  return exportOf(await loadModule(file), exportName, shortPath(file));
}
