// Keeps what V8 compiled from one start to the next: a CGI program starts for each request. TypeScript needs it most,
// its types are else stripped each time.
import { fs, nodeModule } from "./builtins.ts";

/**
 * Lets Node keep compiled code in a folder of this user, unless `NODE_COMPILE_CACHE` says where or
 * `NODE_DISABLE_COMPILE_CACHE` that it must not. Node before 22.8 cannot.
 */
export function keepCompiledCode(environment: NodeJS.ProcessEnv): void {
  const { enableCompileCache } = nodeModule as Partial<typeof nodeModule>;
  const isSaid = environment.NODE_COMPILE_CACHE || environment.NODE_DISABLE_COMPILE_CACHE !== undefined;
  if (enableCompileCache === undefined || isSaid) return;
  const folder = ownCacheFolder(environment);
  if (folder !== null) enableCompileCache(folder);
}

/**
 * `$XDG_CACHE_HOME/gw/compiled` or `~/.cache/gw/compiled`, made if it is not there; `null` if there is none to trust.
 *
 * Whoever can write to it decides what runs. So home must belong to the user of this process (with sudo it may be somebody
 * else's), as must the folder, where nobody else may write. Node's own default, a folder in /tmp, is anybody's to make first.
 */
export function ownCacheFolder(environment: NodeJS.ProcessEnv): string | null {
  const user = process.geteuid?.();
  if (user === undefined) return null; // Windows
  try {
    const home = homeFolder(environment);
    if (fs.statSync(home).uid !== user) return null;
    const caches = environment.XDG_CACHE_HOME?.startsWith("/") ? environment.XDG_CACHE_HOME : `${home}/.cache`;
    const folder = `${caches}/gw/compiled`;
    for (const path of [caches, `${caches}/gw`, folder]) makeFolder(path);
    const { uid, mode } = fs.lstatSync(folder);
    return uid === user && (mode & 0o170_022) === 0o040_000 ? folder : null;
  } catch {
    return null; // no home, or one that cannot be written to, as www-data's
  }
}

/** One at a time: Node's recursive way goes on for ever where a file system answers ENOENT, as /proc does. */
function makeFolder(path: string): void {
  if (fs.existsSync(path)) return;
  try {
    fs.mkdirSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // another request was faster
  }
}

/** Web servers seldom pass HOME on. */
function homeFolder({ HOME }: NodeJS.ProcessEnv): string {
  return HOME?.startsWith("/") ? HOME : process.getBuiltinModule("node:os").userInfo().homedir;
}
