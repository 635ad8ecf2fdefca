// One session as one file: replaced by compare and swap, so that processes sharing a folder lose nothing.
//
// Version n+1 is first linked under the name `<key>.<n+1>`. Linking fails if
// the name is taken, so of all processes that saw version n one goes on: it
// looks again that n is still there and renames its file over the session's.
// A process that dies in between leaves a whole file under that name; the
// next one that wants to write puts it into place. Nobody waits for a lock.
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import type { SessionRecord } from "./store.ts";

/** What a file says: a session, or that it has ended (until the file is gone). */
export type FileState = SessionRecord | { readonly version: number; readonly hasEnded: true };

/** Reads a file; `null` if there is none or it is not whole (a machine can stop in mid-write). */
export function readRecordFile(path: string): FileState | null {
  const fd = openIfThere(path);
  if (fd === null) return null;
  try {
    return parseFile(readFileSync(fd, "utf8"), Math.round(fstatSync(fd).mtimeMs));
  } finally {
    closeSync(fd);
  }
}

/** Writes a new file that nobody else writes. */
export function createRecordFile(path: string, record: SessionRecord): void {
  const temporary = writeTemporary(path, record);
  renameSync(temporary, path);
}

/** Puts the next version in the place of `version`; `false` if another process did, or the session has ended. */
export function swapRecordFile(path: string, version: number, next: FileState): boolean {
  const found = readRecordFile(path);
  if (found === null || isEnded(found) || found.version !== version) return false;
  const claim = `${path}.${version + 1}`;
  if (!linkClaim(path, claim, next)) {
    waitForClaim(path, version, claim);
    return false;
  }
  if (readRecordFile(path)?.version !== version) {
    removeIfThere(claim);
    return false;
  }
  moveIfThere(claim, path); // gone: another process took our long pause for a death and did it for us
  return true;
}

/** Ends the session of a file. Nobody can write it again. With a version: only if it is that one. */
export function endRecordFile(path: string, version?: number): boolean {
  for (;;) {
    const found = readRecordFile(path);
    if (found === null || isEnded(found)) return false;
    if (version !== undefined && found.version !== version) return false;
    if (swapRecordFile(path, found.version, { version: found.version + 1, hasEnded: true })) break;
  }
  removeIfThere(path);
  return true;
}

/** Puts off the end of a session: the file's modification time, nothing else. */
export function touchRecordFile(path: string, expiresMs: number): void {
  ignoreMissing(() => utimesSync(path, Date.now() / 1000, expiresMs / 1000));
}

/** Removes a file, if it is there. */
export function removeIfThere(path: string): void {
  ignoreMissing(() => unlinkSync(path));
}

/** Whether a file says that its session has ended. */
export function isEnded(state: FileState): state is Extract<FileState, { hasEnded: true }> {
  return "hasEnded" in state;
}

const PATIENCE_MS = 250; // a writer needs far less than one; longer means that it died or was stopped

function waitForClaim(path: string, version: number, claim: string): void {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    if (readRecordFile(path)?.version !== version || statSync(claim, { throwIfNoEntry: false }) === undefined) return;
    pause(1);
  }
  if (readRecordFile(path)?.version === version) moveIfThere(claim, path);
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

function pause(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

function linkClaim(path: string, claim: string, next: FileState): boolean {
  const temporary = writeTemporary(path, next);
  try {
    linkSync(temporary, claim);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    removeIfThere(temporary);
  }
}

let temporaries = 0;

function writeTemporary(path: string, state: FileState): string {
  const temporary = `${path}.tmp-${process.pid}-${temporaries++}`;
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  const fd = openSync(temporary, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  try {
    writeSync(fd, formatFile(state));
    if (!isEnded(state)) futimesSync(fd, Date.now() / 1000, state.expiresMs / 1000);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
  return temporary;
}

/** The first line of a file, JSON; the rest is the session's data. */
interface FileHead {
  readonly version: number;
  readonly createdMs: number;
  readonly user: string | null;
  readonly chars: number;
  readonly hasEnded?: true;
}

function formatFile(state: FileState): string {
  if (isEnded(state)) return `${JSON.stringify(state)}\n`;
  const { version, createdMs, user, data } = state;
  return `${JSON.stringify({ version, createdMs, user, chars: data.length })}\n${data}`;
}

function parseFile(text: string, expiresMs: number): FileState | null {
  const end = text.indexOf("\n");
  if (end === -1) return null;
  const head = JSON.parse(text.slice(0, end)) as FileHead;
  if (head.hasEnded === true) return { version: head.version, hasEnded: true };
  const { version, createdMs, user, chars } = head;
  const data = text.slice(end + 1);
  return data.length === chars ? { version, createdMs, expiresMs, user, data } : null;
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function moveIfThere(from: string, to: string): void {
  ignoreMissing(() => renameSync(from, to));
}

function ignoreMissing(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
