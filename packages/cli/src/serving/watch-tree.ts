// Watches folders for changes of source files, without packages, hidden and data folders.
import { type FSWatcher, readdirSync, type Stats, statSync, watch } from "node:fs";
import { join } from "node:path";
import { StartError } from "../usage-error.ts";

/** A running watch. */
export interface TreeWatch {
  close(): void;
}

const QUIET_MS = 60; // editors write a file in several steps
const IGNORED_FOLDER = /^(\..*|node_modules|dist|data|coverage|__pycache__)$/;
/** What a load reads. Data that an app writes is none of it, or each request would start it anew. */
const SOURCE = /\.(?:[cm]?[jt]s|json)$/;

/**
 * Calls `changed` with the path of a source file that was written, made, renamed or removed, once all has been quiet for a moment.
 *
 * Folders that appear later are watched, too.
 *
 * @throws StartError if a root is no folder, or the system watches too many already
 */
export function watchTree(roots: readonly string[], changed: (file: string) => void): TreeWatch {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;

  const add = (folder: string): void => {
    if (watchers.has(folder)) return;
    const watcher = watch(folder, (_event, name) => {
      if (name === null) return;
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory()) {
        if (!IGNORED_FOLDER.test(name)) addAllQuietly(path);
        return;
      }
      if (!SOURCE.test(name) && !isScript(name, found)) return;
      clearTimeout(timer);
      timer = setTimeout(() => changed(path), QUIET_MS);
    });
    watcher.on("error", () => forget(folder)); // the folder is gone
    watchers.set(folder, watcher);
  };
  const forget = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const addAll = (folder: string): void => {
    add(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !IGNORED_FOLDER.test(entry.name)) addAll(join(folder, entry.name));
    }
  };
  const addAllQuietly = (folder: string): void => {
    try {
      addAll(folder);
    } catch {
      forget(folder); // it went as fast as it came
    }
  };
  const close = (): void => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };

  for (const root of roots) {
    try {
      addAll(root);
    } catch (error) {
      close();
      throw cannotWatch(root, error);
    }
  }
  return { close };
}

/** A program without an extension, as `#!/usr/bin/env gw` makes one. */
function isScript(name: string, found: Stats | undefined): boolean {
  return !name.includes(".") && found !== undefined && (found.mode & 0o111) !== 0;
}

function cannotWatch(root: string, error: unknown): StartError {
  const { code, message } = error as NodeJS.ErrnoException;
  const isFull = code === "ENOSPC" || code === "EMFILE";
  const why = isFull ? "the system watches too many folders already; name fewer with --reload-dir" : message;
  return new StartError(`cannot watch ${root}: ${why}`, { cause: error });
}
