// The user and group that a gateway becomes once its addresses are bound (R-O14).
import { execFileSync } from "node:child_process";
import { chownSync, readFileSync } from "node:fs";
import type { EffectiveSettings } from "../config/settings.ts";
import { StartError, UsageError } from "../usage-error.ts";

/** Whom to become, found while we may still read everything. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Name, for the groups that the user is in besides; `null`: none but `gid`. */
  readonly name: string | null;
  readonly home: string | null;
}

/** The process as `become` changes it; tests give their own. */
export interface PrivilegedProcess {
  readonly env: NodeJS.ProcessEnv;
  getuid(): number;
  getgid(): number;
  setgid(id: number): void;
  setgroups(groups: readonly number[]): void;
  initgroups(user: string, extraGroup: number): void;
  setuid(id: number): void;
}

/**
 * Whom `--user` and `--group` name; `null`: nobody, or whom we are already.
 *
 * @throws UsageError for a name that this system does not know; StartError if we may not become them
 */
export function identityOf(settings: EffectiveSettings): Identity | null {
  const [user, group] = [settings.text("user"), settings.text("group")];
  if (user === undefined && group === undefined) return null;
  const { getuid, getgid } = process;
  if (getuid === undefined || getgid === undefined) throw new StartError("--user and --group need a POSIX system");
  const found = user === undefined ? null : userNamed(user);
  const identity: Identity = {
    uid: found?.uid ?? getuid(),
    gid: group === undefined ? (found?.gid ?? getgid()) : groupNamed(group),
    name: found?.name ?? null,
    home: found?.home ?? null,
  };
  if (identity.uid === getuid() && identity.gid === getgid() && getuid() !== 0) return null;
  if (getuid() === 0) return identity;
  const words = [user === undefined ? "" : `--user ${user}`, group === undefined ? "" : `--group ${group}`];
  throw new StartError(`${words.filter((one) => one !== "").join(" ")} needs root; this is user ${getuid()}`);
}

/**
 * Becomes them for good: the groups first, the user last, because after that nothing can be changed any more.
 *
 * @throws StartError if a step fails or could be taken back
 */
export function become({ uid, gid, name, home }: Identity, us: PrivilegedProcess = posix()): void {
  try {
    us.setgid(gid);
    if (name === null) us.setgroups([gid]);
    else us.initgroups(name, gid);
    us.setuid(uid);
  } catch (error) {
    throw new StartError(`cannot become user ${uid}, group ${gid}: ${(error as Error).message}`, { cause: error });
  }
  if (us.getuid() !== uid || us.getgid() !== gid || (uid !== 0 && canReturn(us)))
    throw new StartError(`cannot become user ${uid}, group ${gid}: the system took it back`);
  if (name === null) return;
  us.env.USER = name;
  us.env.LOGNAME = name;
  if (home !== null) us.env.HOME = home; // what we start must not look for its files in root's
}

/** Gives the group of an identity the unix sockets that we have bound: front servers connect through it. */
export function giveToGroup(paths: readonly string[], { gid }: Identity): void {
  for (const path of paths) chownSync(path, -1, gid);
}

function canReturn(us: PrivilegedProcess): boolean {
  try {
    us.setuid(0);
    return true;
  } catch {
    return false;
  }
}

function posix(): PrivilegedProcess {
  return process as unknown as PrivilegedProcess;
}

interface UserEntry {
  readonly name: string | null;
  readonly uid: number;
  readonly gid: number;
  readonly home: string | null;
}

/** A number that the system does not know is a user, too: containers have such. */
function userNamed(user: string): UserEntry {
  const entry = lookUp("passwd", user);
  if (entry !== null) {
    const [name = "", , uid, gid, , home = ""] = entry;
    return { name, uid: Number(uid), gid: Number(gid), home: home === "" ? null : home };
  }
  if (/^\d+$/.test(user)) return { name: null, uid: Number(user), gid: Number(user), home: null };
  throw new UsageError(`--user: found ${JSON.stringify(user)}, expected a user of this system`);
}

function groupNamed(group: string): number {
  const entry = lookUp("group", group);
  if (entry !== null) return Number(entry[2]);
  if (/^\d+$/.test(group)) return Number(group);
  throw new UsageError(`--group: found ${JSON.stringify(group)}, expected a group of this system`);
}

/** The fields of an entry, by name or number: of the whole user database, not of the file alone, where the system can say. */
function lookUp(database: "passwd" | "group", key: string): readonly string[] | null {
  let lines: string;
  try {
    lines = execFileSync("getent", [database, key], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return null;
    lines = readFileSync(`/etc/${database}`, "utf8");
  }
  const entries = lines.split("\n").map((line) => line.split(":"));
  return entries.find(([name]) => name === key) ?? entries.find(([, , number]) => number === key) ?? null;
}
