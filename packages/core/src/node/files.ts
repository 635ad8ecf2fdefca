// Files as answers: one set of rules for every part that sends files.
import { readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { encodeText, toTextStrict } from "../bytes/byte-string.ts";
import { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";

/** How files are sent; the part of the options that has nothing to do with finding them. */
export interface FileOptions {
  /** Value of Cache-Control, or a function of the file's path (text). @default none */
  cacheControl?: string | ((file: string) => string | null);
  /** ETag made of size and time of change: `"strong"`, `"weak"` or none. @default "strong" */
  etag?: "strong" | "weak" | false;
  /** Content types by extension in lower case, before the built-in table. @default {} */
  types?: Readonly<Record<string, string>>;
  /** Whether `name.br`, `name.zst`, `name.gz` beside a file are sent to clients that accept them. @default false */
  precompressed?: boolean;
  /** Further header fields; they win over ours (Content-Type for example). */
  headers?: HeaderList;
  /** Most ranges of one request; more: the whole file. @default 16 */
  maxRanges?: number;
}

/** Inputs of `fileAnswer`. */
export interface FileAnswerOptions extends FileOptions {
  /** Directory that no answer leaves. */
  root: string;
  /** Path under the root: decoded bytes with a leading slash. @default the request's path */
  path?: string;
  /** Files that stand for a directory, in order. @default ["index.html"] */
  index?: readonly string[];
  /** Whether names that start with a dot are sent; `"refuse"`: 404. @default "refuse" */
  dotfiles?: "refuse" | "serve";
  /** Links: only those that stay under the root, none, or any. @default "inside" */
  symlinks?: "inside" | "refuse" | "follow";
}

/**
 * The answer to GET or HEAD for a file under a root: 200, 206, 304, 404, 405, 412 or 416, or 308 from a
 * directory without its slash. What is missing, refused or outside the root is a 404 that holds nothing open.
 *
 * @throws GatewayError `GW_FILES_BUSY` (503) when descriptors have run out
 */
export function fileAnswer(request: GatewayRequest, options: FileAnswerOptions): MaybePromise<HttpResponse> {
  return underRoot(request, options);
}

/** Like `fileAnswer` for one absolute file that an app named (pathsend, X-Sendfile): no root, no index. */
export function sendFile(
  _request: GatewayRequest,
  file: string,
  options: FileOptions = {},
): MaybePromise<HttpResponse> {
  return whole(file, options);
}

const notFound: HttpResponse = {
  kind: "response",
  status: 404,
  headers: HeaderList.from({ "Content-Type": "text/plain; charset=utf-8" }),
  body: encodeText("404 Not Found\n"),
};

async function underRoot(request: GatewayRequest, options: FileAnswerOptions): Promise<HttpResponse> {
  const path = toTextStrict(options.path ?? request.path);
  if (path === null || /[\0\\]/.test(path) || path.split("/").includes("..")) return notFound;
  try {
    const root = await realpath(options.root);
    const file = await realpath(join(root, path));
    if (file !== root && !file.startsWith(root + sep)) return notFound;
    return await whole(file, options);
  } catch {
    return notFound;
  }
}

async function whole(file: string, { headers = HeaderList.empty }: FileOptions): Promise<HttpResponse> {
  if (!(await stat(file)).isFile()) return notFound;
  return { kind: "response", status: 200, headers, body: await readFile(file) };
}
