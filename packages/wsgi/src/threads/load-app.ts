// Loads the app of a thread.
import { pathToFileURL } from "node:url";
import { GatewayError } from "@gw/core";

/** Where a thread finds its app. */
export interface AppPlace {
  readonly path: string;
  readonly exportName: string;
  /** URL of a module whose `load(file, name)` gives the export; `null`: import it. */
  readonly loader: string | null;
}

/** What a module given as `loader` exports. */
interface Loader {
  load(file: string, exportName: string): Promise<unknown>;
}

/**
 * The function that a file exports.
 *
 * @throws what loading it throws; GatewayError `GW_THREAD_APP` if it exports no function of this name
 */
export async function loadFunction({ path, exportName, loader }: AppPlace): Promise<unknown> {
  const found =
    loader === null
      ? ((await import(pathToFileURL(path).href)) as Record<string, unknown>)[exportName]
      : await ((await import(loader)) as Loader).load(path, exportName);
  if (typeof found === "function") return found;
  const what = exportName === "default" ? "no function as its default export" : `no function "${exportName}"`;
  throw new GatewayError("GW_THREAD_APP", 500, `${path} has ${what}, found ${found === null ? "null" : typeof found}`);
}
