// Which part of a path is the script (R-F11): only regular files below the root count, compared as bytes.
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { toTextStrict } from "@gw/core";

/** What lies at a path below the root. */
export type Entry = "file" | "directory" | null;

/** A script and what follows it. Byte strings. */
export interface FoundScript {
  /** From the root: `/admin/index.php`. */
  readonly script: string;
  /** What follows: `/users/7`, or `""`. */
  readonly pathInfo: string;
}

const KEEP_MS = 1_000;
const MAX_KEPT = 1_000;

/** Looks at the files of a site. What it finds is believed for a second. */
export class Site {
  readonly #root: string;
  readonly #kept: Map<string, { readonly entry: Entry; readonly untilMs: number }> = new Map();
  #realRoot: { readonly path: string; readonly untilMs: number } | null = null;

  constructor(root: string) {
    this.#root = root;
  }

  /** The root without links: a deployment may point it elsewhere at any time. */
  async realRoot(): Promise<string> {
    const now = performance.now();
    if (this.#realRoot === null || this.#realRoot.untilMs < now) {
      this.#realRoot = { path: await realpath(this.#root), untilMs: now + KEEP_MS };
    }
    return this.#realRoot.path;
  }

  /**
   * What is at a path; `null` for nothing, for what may not be named, and for what links lead out of the root.
   *
   * @param path byte string with a leading slash, without dot segments
   */
  async entry(path: string): Promise<Entry> {
    const now = performance.now();
    const kept = this.#kept.get(path);
    if (kept !== undefined && kept.untilMs >= now) return kept.entry;
    const entry = await this.#look(path);
    if (entry === null) return null; // so that nobody fills the memory with names
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(path, { entry, untilMs: now + KEEP_MS });
    return entry;
  }

  async #look(path: string): Promise<Entry> {
    const name = toTextStrict(path);
    if (name === null || HIDDEN.test(name)) return null;
    try {
      const root = await this.realRoot();
      const real = await realpath(join(root, name));
      if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return null;
      const found = await stat(real);
      if (found.isDirectory()) return "directory";
      // "file.php/" is no file, whatever the file system makes of it.
      return found.isFile() && !name.endsWith("/") ? "file" : null;
    } catch {
      return null;
    }
  }
}

// Names that start with a dot (.env, .git), and what separates or ends names elsewhere; .well-known is for everybody.
const HIDDEN = /\/\.(?!well-known(?:\/|$))|[\0\\]/;

/**
 * The script of a path: the first part of it that ends like a script and is a regular file.
 *
 * A part that only looks like one is never given to PHP, which would look for a file further up (CVE-2019-11043, and
 * uploads named `x.jpg` called as `/x.jpg/y.php`).
 */
export async function findScript(path: string, split: readonly string[], site: Site): Promise<FoundScript | null> {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const script = end < 0 ? path : path.slice(0, end);
    if (isScript(script, split)) {
      const entry = await site.entry(script);
      if (entry === "file") return { script, pathInfo: path.slice(script.length) };
      if (entry === null) return null;
    }
    if (end < 0) return null;
  }
}

/** Whether a name ends like a script, and is more than that end. */
export function isScript(name: string, split: readonly string[]): boolean {
  return split.some((end) => name.endsWith(end) && name.length > end.length && name.at(-end.length - 1) !== "/");
}

/** Whether a file holds the text of a script, under whatever name: it is never sent (`index.php~`, `config.php.bak`, `x.phtml`). */
export function isScriptText(name: string): boolean {
  return /\.ph(?:p[0-9s]?|tml|ar)(?:[.~_][^/]*)?$/i.test(name);
}
