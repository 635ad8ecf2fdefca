// From the path of a request to a file under a root, and nowhere else.
import { join, sep } from "node:path";
import { toTextStrict } from "../bytes/byte-string.ts";
import { type OpenFile, openFile, resolved } from "./open-file.ts";

/** Where files are looked for. */
export interface LookupOptions {
  /** Directory that no answer leaves. */
  root: string;
  /** Whether names that start with a dot are found; `.well-known` at the top always is. */
  dotfiles: "refuse" | "serve";
  /** Links: only those that stay under the root, none, or any. */
  symlinks: "inside" | "refuse" | "follow";
}

/**
 * Opens what a path under the root names; `null` for what is not there, may not be named, or lies outside.
 *
 * @param path decoded bytes with a leading slash
 */
export async function findUnderRoot(path: string, options: LookupOptions): Promise<OpenFile | null> {
  const name = toTextStrict(path);
  if (name === null || !mayBeNamed(name, options.dotfiles)) return null;
  const found = await openFile(join(options.root, name));
  if (found === null) return null;
  try {
    if (await isAllowed(found.realPath, name, options)) return found;
  } catch (error) {
    found.close();
    throw error;
  }
  found.close();
  return null;
}

// A backslash separates on Windows; a colon there names a stream of a file.
const NEVER = process.platform === "win32" ? /[\0\\:*?"<>|]|[. ](?:\/|$)/ : /[\0\\]/;

function mayBeNamed(name: string, dotfiles: LookupOptions["dotfiles"]): boolean {
  if (!name.startsWith("/") || NEVER.test(name)) return false;
  const segments = name.split("/").slice(1);
  if (segments.some((segment) => segment === "." || segment === "..")) return false;
  if (dotfiles === "serve") return true;
  return !segments.some((segment, at) => segment.startsWith(".") && !(at === 0 && segment === ".well-known"));
}

const MAX_ROOTS = 1_000;
const realRoots = new Map<string, string>();

/** The root's own links count as the root: a deployment may point `current` to another directory at any time. */
async function isAllowed(realPath: string, name: string, { root, symlinks }: LookupOptions): Promise<boolean> {
  if (symlinks === "follow") return true;
  const known = realRoots.get(root);
  if (known !== undefined && isWithin(realPath, name, known, symlinks)) return true;
  const real = await resolved(root);
  if (realRoots.size >= MAX_ROOTS) realRoots.clear();
  realRoots.set(root, real);
  return real !== known && isWithin(realPath, name, real, symlinks);
}

function isWithin(realPath: string, name: string, realRoot: string, symlinks: "inside" | "refuse"): boolean {
  if (symlinks === "refuse") return realPath === join(realRoot, name).replace(/(?<=.)[\\/]$/, "");
  return realPath === realRoot || realPath.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep);
}
