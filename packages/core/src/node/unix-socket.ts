// Files of unix sockets: made with the right mode from the first moment, and never anyone else's file removed (R-O14).
import { lstatSync, type Stats, unlinkSync } from "node:fs";
import { chmod, link, lstat, mkdtemp, rename, rmdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { GatewayError } from "../model/errors.ts";
import { atExit } from "./at-exit.ts";

/** Longest path of a socket in bytes (sun_path, less its closing NUL). */
const MAX_PATH_BYTES: number = process.platform === "linux" ? 107 : 103;

/**
 * Makes a unix socket at a path by way of a private directory beside it.
 *
 * The socket gets its mode while only we can reach it and is then linked into
 * place, so there is no moment with a wider mode and no file is ever replaced.
 * What a dead process left behind is moved away first; a file that is not a
 * socket, has another owner or is listened on stays, and we refuse.
 *
 * @param bind makes the socket at the path it is given
 * @returns removes the file if it is still ours; also done when the process exits
 * @throws GatewayError `GW_BIND_PATH`, `GW_BIND_IN_USE`, `GW_BIND_ACCESS`; whatever `bind` throws
 */
export async function placeSocket(
  path: string,
  mode: number,
  bind: (path: string) => Promise<void>,
): Promise<() => void> {
  checkLength(path);
  const stale = await findStale(path);
  const room = await mkdtemp(join(dirname(path), ".g")); // 0700
  const fresh = join(room, "s");
  try {
    await bind(fresh);
    await chmod(fresh, mode);
    const ours = await lstat(fresh);
    if (stale !== null) await moveAway(path, stale, join(room, "o"));
    await moveInto(path, fresh);
    await rmdir(room);
    return removal(path, ours);
  } catch (error) {
    for (const name of ["s", "o"]) await unlink(join(room, name)).catch(() => {});
    await rmdir(room).catch(() => {});
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw refusal(path, "GW_BIND_IN_USE", "another process made it at this moment", error);
    }
    throw error;
  }
}

function checkLength(path: string): void {
  // The name beside it, where the socket is made, may be the longer one.
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(join(dirname(path), ".gXXXXXX/s")));
  if (bytes <= MAX_PATH_BYTES) return;
  throw refusal(path, "GW_BIND_PATH", `the path is ${bytes - MAX_PATH_BYTES} bytes too long for a socket`);
}

/** What lies at the path: nothing (`null`), or a socket of ours that nobody listens on. */
async function findStale(path: string): Promise<Stats | null> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found === null) return null;
  if (!found.isSocket()) {
    throw refusal(path, "GW_BIND_PATH", "a file that is not a socket is there; it is left alone");
  }
  const verdict = await tryConnect(path);
  if (verdict === "accepts") throw refusal(path, "GW_BIND_IN_USE", "another process listens there");
  if (found.uid !== process.geteuid?.()) {
    throw refusal(path, "GW_BIND_ACCESS", `a socket of another user (uid ${found.uid}) is there; it is left alone`);
  }
  if (verdict === "unknown")
    throw refusal(path, "GW_BIND_ACCESS", "a socket of another kind is there; it is left alone");
  return found;
}

function tryConnect(path: string): Promise<"accepts" | "refused" | "unknown"> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      done("accepts");
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      // EAGAIN: so many wait already that no more are taken.
      done(code === "EAGAIN" ? "accepts" : code === "ECONNREFUSED" || code === "ENOENT" ? "refused" : "unknown");
    });
  });
}

/** Takes a stale file out of the way; puts it back if another process has put its own there meanwhile. */
async function moveAway(path: string, stale: Stats, to: string): Promise<void> {
  try {
    await rename(path, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (!isSameFile(await lstat(to), stale)) {
    await link(to, path);
    throw refusal(path, "GW_BIND_IN_USE", "another process made it at this moment");
  }
  await unlink(to);
}

/** Like rename, but never replaces a file. */
async function moveInto(path: string, fresh: string): Promise<void> {
  try {
    await link(fresh, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    return rename(fresh, path); // a file system without hard links
  }
  await unlink(fresh);
}

/** A function that removes the file, once, unless another has taken its place. */
function removal(path: string, ours: Stats): () => void {
  let removed = false;
  const remove = (): void => {
    if (removed) return; // its inode number may be in use again
    removed = true;
    forget();
    try {
      if (isSameFile(lstatSync(path), ours)) unlinkSync(path);
    } catch {
      // gone already
    }
  };
  const forget = atExit(remove);
  return remove;
}

/** Inode numbers are used again at once; the time of a socket's making tells two of them apart. */
function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev && one.mtimeMs === other.mtimeMs;
}

function refusal(path: string, code: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError(code, 500, `cannot listen on unix:${path}: ${why}`, cause === undefined ? {} : { cause });
}
