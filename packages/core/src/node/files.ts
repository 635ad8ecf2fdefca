// Files as answers: one set of rules for every part that sends files.
import { isAbsolute } from "node:path";
import { acceptedEncodings } from "../headers/accept-encoding.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { encodePath, rawPath } from "../target/raw.ts";
import { contentTypeOf, isCompressible } from "./content-types.ts";
import { answerFile, plain } from "./file-answer.ts";
import { findUnderRoot, type LookupOptions } from "./file-lookup.ts";
import { type OpenFile, openFile } from "./open-file.ts";

/** How files are sent; the part of the options that has nothing to do with finding them. */
export interface FileOptions {
  /** Value of Cache-Control, or a function of the file's path (text). @default none */
  cacheControl?: string | ((file: string) => string | null);
  /** ETag made of size and time of change: `"strong"`, `"weak"` or none. @default "strong" */
  etag?: "strong" | "weak" | false;
  /** Content types by extension in lower case, before the built-in ones; `""`: for names without one. @default {} */
  types?: Readonly<Record<string, string>>;
  /** Whether `name.br`, `name.zst`, `name.gz` beside a file are sent to clients that accept them. @default false */
  precompressed?: boolean;
  /**
   * Further header fields. `Content-Type` and `Cache-Control` here win over ours; what describes the bytes
   * (`ETag`, `Last-Modified`, `Content-Length`, `Content-Range`, `Content-Encoding`, `Accept-Ranges`) is ours alone.
   */
  headers?: HeaderList;
  /** Most ranges of one request; more: the whole file. @default 16 */
  maxRanges?: number;
}

/** Inputs of `fileAnswer`. */
export interface FileAnswerOptions extends FileOptions {
  /** Directory that no answer leaves. A link is followed anew, so that a deployment can move it. */
  root: string;
  /** Path under the root: decoded bytes with a leading slash. @default the request's path */
  path?: string;
  /** Files that stand for a directory, in order. @default ["index.html"] */
  index?: readonly string[];
  /** Whether names that start with a dot are sent; `"refuse"`: 404, but for `/.well-known`. @default "refuse" */
  dotfiles?: "refuse" | "serve";
  /** Links: only those that stay under the root, none, or any. @default "inside" */
  symlinks?: "inside" | "refuse" | "follow";
}

/**
 * The answer to GET or HEAD for a file under a root (docs/files.md has the rules).
 *
 * 200, 206, 304, 412 or 416; 301 from a directory to its name with a slash;
 * 404 for what is missing, refused or outside the root (it holds nothing open,
 * so a layer may drop it); 405 for other methods. A socket opening gets 404.
 *
 * @throws GatewayError `GW_FILE_FORBIDDEN` (403), `GW_FILE_BUSY` (503: out of descriptors), `GW_FILE` (500)
 */
export function fileAnswer(request: GatewayRequest, options: FileAnswerOptions): MaybePromise<HttpResponse> {
  return refusal(request) ?? answerUnderRoot(request, options);
}

/**
 * Like `fileAnswer` for one absolute file that an app named (pathsend, X-Sendfile): no root, no index.
 *
 * @throws GatewayError `GW_FILE` (500) for a path that is not absolute, and as `fileAnswer`
 */
export function sendFile(request: GatewayRequest, file: string, options: FileOptions = {}): MaybePromise<HttpResponse> {
  if (!isAbsolute(file))
    throw new GatewayError("GW_FILE", 500, `expected an absolute path, found ${JSON.stringify(file)}`);
  return refusal(request) ?? answerNamed(request, file, options);
}

const notFound = plain(404);
const notAllowed = plain(405, ["Allow", "GET, HEAD"]);

function refusal({ kind, method }: GatewayRequest): HttpResponse | null {
  if (kind === "websocket") return notFound;
  return method === "GET" || method === "HEAD" ? null : notAllowed;
}

async function answerUnderRoot(request: GatewayRequest, options: FileAnswerOptions): Promise<HttpResponse> {
  const { root, path = request.path, index = ["index.html"], dotfiles = "refuse", symlinks = "inside" } = options;
  const lookup: LookupOptions = { root, dotfiles, symlinks };
  const find = (name: string): Promise<OpenFile | null> => findUnderRoot(name, lookup);
  if (path === "") return withSlash(request);
  const names = path.endsWith("/") ? index.map((name) => path + name) : [path];
  for (const name of names) {
    const found = await find(name);
    if (found === null) continue;
    if (!found.isDirectory) return answerFound(request, found, options, (suffix) => find(name + suffix));
    found.close();
    if (name !== path) continue;
    // The client's address may have its slash already when the path was made from something else.
    return request.path.endsWith("/") ? answerUnderRoot(request, { ...options, path: `${path}/` }) : withSlash(request);
  }
  return notFound;
}

async function answerNamed(request: GatewayRequest, file: string, options: FileOptions): Promise<HttpResponse> {
  const found = await openFile(file);
  if (found === null) return notFound;
  if (!found.isDirectory) return answerFound(request, found, options, (suffix) => openFile(file + suffix));
  found.close();
  return notFound;
}

async function answerFound(
  request: GatewayRequest,
  found: OpenFile,
  options: FileOptions,
  openVariant: (suffix: string) => Promise<OpenFile | null>,
): Promise<HttpResponse> {
  const { etag = "strong", types, precompressed = false, headers = HeaderList.empty, maxRanges = 16 } = options;
  const type = headers.get("content-type") ?? contentTypeOf(found.realPath, types);
  const varies = precompressed && isCompressible(type);
  const { file, coding } = varies ? await bestVariant(request, found, openVariant) : { file: found, coding: null };
  const cacheControl = headers.has("cache-control") ? null : cacheControlOf(found.realPath, options);
  return answerFile(request, file, { type, coding, varies, etag, cacheControl, headers, maxRanges });
}

const SUFFIXES = { br: ".br", zstd: ".zst", gzip: ".gz" } as const;
const CODINGS = Object.keys(SUFFIXES) as (keyof typeof SUFFIXES)[];

/** The precompressed file that the client likes best, or the file itself. Closes the one that is not sent. */
async function bestVariant(
  request: GatewayRequest,
  found: OpenFile,
  openVariant: (suffix: string) => Promise<OpenFile | null>,
): Promise<{ file: OpenFile; coding: string | null }> {
  try {
    for (const coding of acceptedEncodings(request.headers.get("accept-encoding"), CODINGS)) {
      const variant = await openVariant(SUFFIXES[coding]);
      if (variant === null) continue;
      const stale = variant.isDirectory || variant.mtimeMs < found.mtimeMs;
      (stale ? variant : found).close();
      if (!stale) return { file: variant, coding };
    }
  } catch (error) {
    found.close();
    throw error;
  }
  return { file: found, coding: null };
}

function cacheControlOf(file: string, { cacheControl }: FileOptions): string | null {
  return typeof cacheControl === "function" ? cacheControl(file) : (cacheControl ?? null);
}

/** 301 to the same path with a slash. One leading slash, or browsers would read a host there (R-M12). */
function withSlash(request: GatewayRequest): HttpResponse {
  const path = `${encodePath(request.mount)}${rawPath(request)}`.replace(/^[/\\]+/, "/");
  const query = request.query === "" ? "" : `?${request.query}`;
  return plain(301, ["Location", `${path}/${query}`]);
}
