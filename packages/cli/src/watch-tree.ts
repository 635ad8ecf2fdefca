// Watches directories for changes of source files, without node_modules and hidden folders.
import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join } from "node:path";

/** A running watch. */
export interface TreeWatch {
  close(): void;
}

const QUIET_MS = 80; // editors write a file in several steps
const IGNORED = /^(\.|node_modules$|dist$|data$|__pycache__$)|(~|\.swp|\.sqlite(-wal|-shm|-journal)?|\.log)$/;

/**
 * Calls `changed` with a file's path once it has been quiet for a moment after a change.
 *
 * Directories that appear later are watched too.
 */
export function watchTree(roots: readonly string[], changed: (file: string) => void): TreeWatch {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  const add = (directory: string): void => {
    if (watchers.has(directory)) return;
    const watcher = watch(directory, (_event, name) => {
      if (name === null || IGNORED.test(name)) return;
      const file = join(directory, name);
      if (isDirectory(file)) return addAll(file);
      clearTimeout(timer);
      timer = setTimeout(() => changed(file), QUIET_MS);
    });
    watcher.on("error", () => forget(directory)); // the directory is gone
    watchers.set(directory, watcher);
  };
  const forget = (directory: string): void => {
    watchers.get(directory)?.close();
    watchers.delete(directory);
  };
  const addAll = (directory: string): void => {
    add(directory);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory() && !IGNORED.test(entry.name)) addAll(join(directory, entry.name));
    }
  };
  for (const root of roots) addAll(root);
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

function isDirectory(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
