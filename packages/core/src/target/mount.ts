// Mounts by whole segments: SCRIPT_NAME and PATH_INFO.
import type { RequestHead } from "../model/request.ts";

/**
 * The rest of a path under a mount, or `null` if it lies elsewhere.
 *
 * Whole segments only: `/app` holds `/app` (rest `""`) and `/app/x` (rest `/x`), not `/application`. The mount `""` holds all.
 *
 * @param mount `""` or `/app`: decoded bytes, no trailing slash
 */
export function splitMount(path: string, mount: string): string | null {
  if (!path.startsWith(mount)) return null;
  if (path.length === mount.length || mount.length === 0) return path.slice(mount.length);
  return path.charCodeAt(mount.length) === SLASH ? path.slice(mount.length) : null;
}

/** The request as the app under the mount sees it, or `null` if its path lies elsewhere. `target` stays as it is. */
export function underMount<R extends RequestHead>(request: R, mount: string): R | null {
  const path = splitMount(request.path, mount);
  return path === null ? null : { ...request, mount: request.mount + mount, path };
}

const SLASH = 0x2f;
