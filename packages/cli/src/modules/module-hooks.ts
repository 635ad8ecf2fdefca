// Hooks of Node's module loader: which files a fresh load evaluates anew, and that a script without an extension is TypeScript.
//
// They run in the loader's thread on Node 20 and in ours elsewhere, and keep nothing: what a load is lies in the
// query of its URLs, `?gw-load=2`, and goes from each file to those it imports by a relative path. Packages keep their one copy.

/** What the loader has found a specifier to be; more fields go through. */
export interface Resolved {
  readonly url: string;
}

/** Asks the loader, or the hook behind this one. A promise in the loader's thread, none in ours. */
export type NextHook<Context, Result> = (name: string, context: Context) => Result | Promise<Result>;

/** Puts the mark of the importing file on what it imports from the same load. */
export function resolve<Context extends { parentURL?: string | undefined }, Result extends Resolved>(
  specifier: string,
  context: Context,
  next: NextHook<Context, Result>,
): Result | Promise<Result> {
  const found = next(specifier, context);
  const mark = markOf(context.parentURL);
  if (mark === null || !isOfLoad(specifier, mark)) return found;
  return found instanceof Promise ? found.then((one) => marked(one, mark)) : marked(found, mark);
}

/** Reads a file that `scriptUrl` made an address of as TypeScript. */
export function load<Context extends { format?: string | null | undefined }, Result>(
  url: string,
  context: Context,
  next: NextHook<Context, Result>,
): Result | Promise<Result> {
  return next(url, url.includes(SCRIPT) ? { ...context, format: "module-typescript" } : context);
}

/** A load: its number, and for files that jiti imports by absolute paths the folder within which they belong to it. */
interface Mark {
  readonly text: string;
  readonly folder: string | null;
}

const MARK = /[?&](gw-load=\d+)(?:&gw-folder=([^&#]*))?/;
const SCRIPT = "gw-script";

function markOf(url: string | undefined): Mark | null {
  const [, text, folder] = (url !== undefined && MARK.exec(url)) || [];
  return text === undefined ? null : { text, folder: folder === undefined ? null : decodeURIComponent(folder) };
}

function isOfLoad(specifier: string, { folder }: Mark): boolean {
  if (specifier.includes("/node_modules/")) return false;
  if (folder !== null) return specifier.startsWith(folder);
  return /^(?:\.{0,2}\/|file:|#)/.test(specifier);
}

function marked<Result extends Resolved>(found: Result, { text }: Mark): Result {
  const isFile = found.url.startsWith("file:") && !found.url.includes("/node_modules/") && !found.url.includes("?");
  return isFile ? { ...found, url: `${found.url}?${text}` } : found;
}

/** The address of a file in the load with this number; 0 is the first load, which carries no mark. */
export function loadUrl(url: string, load: number): string {
  return load === 0 ? url : `${url}?gw-load=${load}`;
}

/** The address of a script without an extension. */
export function scriptUrl(url: string, load: number): string {
  return load === 0 ? `${url}?${SCRIPT}` : `${url}?gw-load=${load}&${SCRIPT}`;
}

/** The address of jiti itself for a load: what it imports natively from the folder belongs to the load. */
export function jitiUrl(url: string, load: number, folder: string): string {
  return load === 0 ? url : `${url}?gw-load=${load}&gw-folder=${encodeURIComponent(folder)}`;
}
