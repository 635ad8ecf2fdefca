// Which part of a path is the script (R-F11): only regular files below the root count, compared as bytes.
import { realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { toBytes, toTextStrict } from "@gw/core";
import { scriptText } from "./script-text.ts";

/** What lies at a path below the root. */
export interface Entry {
  /** `"source"`: a file that is never sent, because its name, or that of the file it links to, is one of a script's. */
  readonly kind: "file" | "source" | "directory";
  /** Where it is without links, from the root without links: a byte string with a leading slash. */
  readonly realPath: string;
}

/** A script and what follows it. Byte strings. */
export interface FoundScript {
  /** From the root: `/admin/index.php`. */
  readonly script: string;
  /** What follows: `/users/7`, or `""`. */
  readonly pathInfo: string;
  /** Where the script is without links, from the root. */
  readonly realPath: string;
}

const KEEP_MS = 1_000;
const MAX_KEPT = 1_000;

/** Looks at the files of a site. What it finds is believed for a second. */
export class Site {
  readonly #root: string;
  readonly #source: RegExp;
  readonly #kept: Map<string, { readonly entry: Entry; readonly untilMs: number }> = new Map();
  #realRoot: { readonly path: string; readonly untilMs: number } | null = null;

  /** @param split ends of names that are scripts */
  constructor(root: string, split: readonly string[]) {
    this.#root = root;
    this.#source = scriptText(split);
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
  async entry(path: string): Promise<Entry | null> {
    const now = performance.now();
    const kept = this.#kept.get(path);
    if (kept !== undefined && kept.untilMs >= now) return kept.entry;
    const entry = await this.#look(path);
    if (entry === null) return null; // so that nobody fills the memory with names
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(path, { entry, untilMs: now + KEEP_MS });
    return entry;
  }

  async #look(path: string): Promise<Entry | null> {
    const name = toTextStrict(path);
    if (name === null || HIDDEN.test(name)) return null;
    try {
      const root = await this.realRoot();
      const real = await realpath(join(root, name));
      if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return null;
      const realPath = `/${toBytes(relative(root, real).replaceAll(sep, "/"))}`;
      if (HIDDEN.test(realPath)) return null;
      const found = await stat(real);
      if (found.isDirectory()) return { kind: "directory", realPath };
      // "file.php/" is no file, whatever the file system makes of it.
      if (!found.isFile() || name.endsWith("/")) return null;
      return { kind: this.#source.test(path) || this.#source.test(realPath) ? "source" : "file", realPath };
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
      if (entry === null) return null;
      if (entry.kind !== "directory") {
        return { script, pathInfo: path.slice(script.length), realPath: entry.realPath };
      }
    }
    if (end < 0) return null;
  }
}

/** Whether a name ends like a script, and is more than that end. */
export function isScript(name: string, split: readonly string[]): boolean {
  return split.some((end) => name.endsWith(end) && name.length > end.length && name.at(-end.length - 1) !== "/");
}
