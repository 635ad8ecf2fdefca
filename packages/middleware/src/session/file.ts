// Sessions as files in a folder: for runtimes without SQLite, and safe for several processes.
import { hash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AppContext, Description } from "@gw/core";
import { SessionStoreError } from "./guarded-store.ts";
import {
  createRecordFile,
  endRecordFile,
  isEnded,
  readRecordFile,
  removeIfThere,
  swapRecordFile,
  touchRecordFile,
} from "./record-file.ts";
import type { SessionRecord, SessionStore } from "./store.ts";
import { sweepSessionFiles } from "./sweep-files.ts";

/** Settings of `fileStore`. */
export interface FileStoreOptions {
  /** Folder for the files, on a local file system; made with mode 0700 if missing. */
  directory: string;
  /** Pause between two removals of ended sessions, milliseconds. @default 600_000 */
  sweepEveryMs?: number;
}

/**
 * Keeps each session in a file of mode 0600. Synchronous; several processes can share the folder.
 *
 * A session's end is its file's modification time, so noting its use writes no
 * content. Saved sessions survive a restart of the gateway; those of the last
 * moments before a power cut may not.
 */
export function fileStore(options: FileStoreOptions): SessionStore {
  return new FileStore(options);
}

class FileStore implements SessionStore {
  readonly isSync = true;
  readonly #directory: string;
  readonly #sweepEveryMs: number;
  readonly #made: Set<string> = new Set();
  #timer: NodeJS.Timeout | null = null;
  #sweeping: Promise<void> = Promise.resolve();

  constructor({ directory, sweepEveryMs = 600_000 }: FileStoreOptions) {
    this.#directory = directory;
    this.#sweepEveryMs = sweepEveryMs;
  }

  /** @throws SessionStoreError `GW_SESSION_STORE` if others can write the folder. */
  start({ log }: AppContext): void {
    this.#make("");
    const { mode } = statSync(this.#directory);
    if (process.platform !== "win32" && (mode & 0o022) !== 0) {
      throw new SessionStoreError(`the session folder ${this.#directory} can be written by others; chmod 700 it`);
    }
    const sweep = (): void => {
      this.#sweeping = sweepSessionFiles(this.#directory).catch((err: unknown) => {
        log.warn({ err }, "ended sessions were not removed");
      });
    };
    this.#timer = setInterval(sweep, this.#sweepEveryMs).unref();
    sweep();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#sweeping;
  }

  describe(): Description {
    return { kind: "session store", name: "files", facts: { directory: this.#directory } };
  }

  read(key: string): SessionRecord | null {
    const state = readRecordFile(this.#path(key));
    return state === null || isEnded(state) || state.expiresMs <= Date.now() ? null : state;
  }

  create(key: string, record: SessionRecord): void {
    this.#inFolder(key.slice(0, 2), () => createRecordFile(this.#path(key), record));
    if (record.user !== null) this.#mark(record.user, key);
  }

  replace(key: string, version: number, record: SessionRecord): boolean {
    const isDone = swapRecordFile(this.#path(key), version, record);
    if (isDone && record.user !== null) this.#mark(record.user, key);
    return isDone;
  }

  move(key: string, version: number, newKey: string, record: SessionRecord): boolean {
    this.create(newKey, record);
    if (endRecordFile(this.#path(key), version)) return true;
    removeIfThere(this.#path(newKey));
    return false;
  }

  touch(key: string, expiresMs: number): void {
    touchRecordFile(this.#path(key), expiresMs);
  }

  end(key: string): void {
    endRecordFile(this.#path(key));
  }

  endAll(user: string): number {
    const folder = this.#userFolder(user);
    let ended = 0;
    for (const key of namesIn(join(this.#directory, folder))) {
      if (endRecordFile(this.#path(key))) ended++;
      removeIfThere(join(this.#directory, folder, key));
    }
    return ended;
  }

  #path(key: string): string {
    return join(this.#directory, key.slice(0, 2), key);
  }

  /** An empty file per session of a user: what `endAll` reads instead of every session. */
  #mark(user: string, key: string): void {
    const folder = this.#userFolder(user);
    this.#inFolder(folder, () => closeSync(openSync(join(this.#directory, folder, key), "a", 0o600)));
  }

  #userFolder(user: string): string {
    return join("users", hash("sha256", user, "hex"));
  }

  /** Does something in a folder, which is made if it is missing: the sweep or an operator may have removed it. */
  #inFolder(folder: string, run: () => void): void {
    if (this.#made.has(folder)) {
      try {
        return run();
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    this.#make(folder);
    run();
    if (!folder.startsWith("users")) this.#made.add(folder);
  }

  #make(folder: string): void {
    mkdirSync(join(this.#directory, folder), { recursive: true, mode: 0o700 });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "ENOENT";
}
