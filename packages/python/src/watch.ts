// Watches the files of an app: a function is called once they have been changed and left in peace.
import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";

const QUIET_MS = 100;

/** Watches directories, because editors replace files; only listed files count. */
export class FileWatch {
  readonly #changed: (path: string) => void;
  readonly #stamps = new Map<string, string>();
  readonly #folders = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | null = null;

  /** @param changed told the first file that has changed */
  constructor(changed: (path: string) => void) {
    this.#changed = changed;
  }

  /**
   * Adds files, absolute paths; those that are watched already are left as they are.
   *
   * @param readAfter when whoever reads them began to, milliseconds since 1970: what was written since may not be what was read
   */
  add(paths: readonly string[], readAfter: number = Number.POSITIVE_INFINITY): void {
    for (const path of paths) {
      if (this.#stamps.has(path)) continue;
      const isLate = writtenAt(path) > readAfter;
      this.#stamps.set(path, isLate ? "" : stampOf(path));
      this.#addFolder(dirname(path));
      if (isLate) this.#look();
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const folder of this.#folders.values()) folder.close();
    this.#folders.clear();
    this.#stamps.clear();
  }

  #addFolder(folder: string): void {
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#look());
      watcher.on("error", () => watcher.close());
      this.#folders.set(folder, watcher);
    } catch {
      // A directory that is gone, or a system out of watches: the app runs all the same.
    }
  }

  #look(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const changed = [...this.#stamps].filter(([path, stamp]) => stampOf(path) !== stamp).map(([path]) => path);
      for (const path of changed) this.#stamps.set(path, stampOf(path));
      const [first] = changed;
      if (first !== undefined) this.#changed(first);
    }, QUIET_MS);
  }
}

function writtenAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.mtimeMs}:${found.size}:${found.ino}`;
}
