// Whether the user that PHP-FPM's children are may enter the site at all. As root we can, so that files are sent while
// every script is "File not found.", which tells nobody why.
import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import type { BackendSpec, Logger } from "@gw/core";
import { DEFAULT_PHP_USER } from "./start-php.ts";

/** A user by numbers, as the system compares them. */
export interface UserIds {
  readonly uid: number;
  /** All of its groups. */
  readonly gids: readonly number[];
}

/** Owner and permission bits of a folder. */
export interface FolderFacts {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Warns with GW_FCGI_PHP_FOLDER of the first folder on the way to the site that PHP may not enter. */
export async function warnOfClosedFolder(
  root: string,
  { command, user = DEFAULT_PHP_USER, log }: Pick<BackendSpec, "command"> & { user?: string | undefined; log: Logger },
): Promise<void> {
  // php-cgi is the user that we are.
  if (process.getuid?.() !== 0 || basename(command[0] as string).includes("cgi")) return;
  const folder = await closedFolder(root, user);
  if (folder === null) return;
  log.warn(
    { code: "GW_FCGI_PHP_FOLDER", folder, user },
    `PHP runs as ${user}, which may not enter ${folder}: every script of ${root} will be "File not found."; ` +
      `chmod o+x ${folder}, or keep the site elsewhere`,
  );
}

/** The first folder from / to the site, with it, that the user may not enter; `null`: none, or nobody can tell. */
async function closedFolder(root: string, user: string): Promise<string | null> {
  const [ids, real] = await Promise.all([idsOf(user), realpath(root).catch(() => null)]);
  if (ids === null || real === null) return null;
  for (const folder of wayTo(real)) {
    const facts = await stat(folder).catch(() => null);
    if (facts !== null && !mayEnter(ids, facts)) return folder;
  }
  return null;
}

/** The execute bit of the first of owner, group and others that the user is (POSIX.1-2017 4.5). Lists of the file system (ACLs) are not looked at. */
export function mayEnter({ uid, gids }: UserIds, folder: FolderFacts): boolean {
  if (uid === 0) return true;
  if (uid === folder.uid) return (folder.mode & 0o100) !== 0;
  return (folder.mode & (gids.includes(folder.gid) ? 0o010 : 0o001)) !== 0;
}

/** `/srv/www` → `/`, `/srv`, `/srv/www`. */
export function wayTo(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [...wayTo(above), folder];
}

/** `null` for a user that there is not: PHP-FPM says so itself. */
async function idsOf(user: string): Promise<UserIds | null> {
  try {
    const [uid = "", groups = ""] = await Promise.all([asked("-u", user), asked("-G", user)]);
    return { uid: Number(uid), gids: groups.trim().split(" ").map(Number) };
  } catch {
    return null;
  }
}

async function asked(flag: "-u" | "-G", user: string): Promise<string> {
  return (await promisify(execFile)("/usr/bin/id", [flag, "--", user], { timeout: 5_000 })).stdout;
}
