// The store a gateway uses when none is named: on disk, the best the runtime has.
import { join, resolve } from "node:path";
import { fileStore } from "./file.ts";
import { hasSqlite, sqliteStore } from "./sqlite.ts";
import type { SessionStore } from "./store.ts";

/** Settings of `localStore`. */
export interface LocalStoreOptions {
  /** Folder for the sessions, one per gateway: two that share it share their logins. @default ".gw" in the working directory */
  directory?: string;
}

/** An SQLite database `sessions.sqlite` where the runtime has `node:sqlite`, else a folder `sessions` of files (Node 20). */
export function localStore({ directory = ".gw" }: LocalStoreOptions = {}): SessionStore {
  const folder = resolve(directory);
  return hasSqlite()
    ? sqliteStore({ path: join(folder, "sessions.sqlite") })
    : fileStore({ directory: join(folder, "sessions") });
}
