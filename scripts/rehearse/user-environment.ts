// The environment of somebody who installs the packages: their own Node, and nothing that npm set for our scripts.
import { delimiter, join } from "node:path";

/** Removes what `npm run` added to an environment: the repository's binaries on PATH (and its pinned Node with them). */
export function userEnvironment(environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  const own = /^(npm_(lifecycle|package|execpath|node_execpath|command|config_local_prefix)|INIT_CWD|NODE_ENV|CI$)/;
  const kept = Object.entries(environment).filter(([name]) => !own.test(name));
  const folders = (environment.PATH ?? "").split(delimiter);
  const isOurs = (folder: string): boolean =>
    folder.endsWith(join("node_modules", ".bin")) || folder.endsWith("node-gyp-bin");
  return { ...Object.fromEntries(kept), PATH: folders.filter((folder) => !isOurs(folder)).join(delimiter) };
}
