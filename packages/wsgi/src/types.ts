// WSGI for TypeScript: the shapes of PEP 3333, word for word.
//
// A "native string" of the PEP is a byte string here: every char is one byte,
// U+0000 to U+00FF. A "bytestring" is a Uint8Array.

/**
 * A WSGI application (PEP 3333, "The Application/Framework Side").
 *
 * Called once per request. Must call `startResponse` before its iterable
 * gives the first non-empty chunk; may do so in the first iteration.
 */
export type WsgiApp = (environ: Environ, startResponse: StartResponse) => WsgiIterable;

/** What an app returns: chunks of the body. `close()` is called exactly once, however the request ends. */
export interface WsgiIterable extends Iterable<Uint8Array> {
  close?(): void;
}

/**
 * Begins the response (PEP 3333, "The start_response() Callable").
 *
 * @param status `"200 OK"`: three digits, a space, a reason
 * @param headers pairs of name and value, byte strings
 * @param excInfo only from an error handler: replaces a head that was not sent yet
 * @throws the error inside `excInfo` if the head was sent already
 */
export type StartResponse = (
  status: string,
  headers: readonly (readonly [name: string, value: string])[],
  excInfo?: ExcInfo | null,
) => Write;

/** Sends a chunk at once: for code that cannot return an iterable (PEP 3333, "The write() Callable"). */
export type Write = (data: Uint8Array) => void;

/** A trapped error as `sys.exc_info()` gives it in Python; `excInfo(error)` makes one. */
export type ExcInfo = readonly [type: unknown, value: unknown, traceback: unknown];

/**
 * The environ of a request (PEP 3333, "environ Variables"): a plain object that the app may change.
 *
 * Variables are byte strings. Missing ones are left out, not empty.
 */
export interface Environ {
  REQUEST_METHOD: string;
  /** Where the app is mounted, decoded; `""` at the root. */
  SCRIPT_NAME: string;
  /** The rest of the path, decoded. */
  PATH_INFO: string;
  /** What follows `?`, not decoded. */
  QUERY_STRING: string;
  CONTENT_TYPE?: string;
  /** Length of the body in bytes, decimal. */
  CONTENT_LENGTH?: string;
  SERVER_NAME: string;
  /** A string, as the PEP requires: `"8000"`. */
  SERVER_PORT: string;
  /** As the client spoke: `"HTTP/1.1"`. */
  SERVER_PROTOCOL: string;
  SERVER_SOFTWARE?: string;
  REMOTE_ADDR?: string;
  REMOTE_PORT?: string;
  /** The user a layer of ours established; never taken from a header. */
  REMOTE_USER?: string;
  AUTH_TYPE?: string;
  /** The request-target as received, percent-encoded. */
  REQUEST_URI?: string;
  /** `"on"` over TLS, else absent. */
  HTTPS?: string;
  "wsgi.version": readonly [major: 1, minor: 0];
  "wsgi.url_scheme": "http" | "https";
  "wsgi.input": WsgiInputStream;
  "wsgi.errors": WsgiErrorStream;
  /** Whether another thread may call the same app object at the same time. */
  "wsgi.multithread": boolean;
  /** Whether another process may call an equal app at the same time. */
  "wsgi.multiprocess": boolean;
  /** Whether the process probably ends after this request, as under CGI. */
  "wsgi.run_once": boolean;
  /** `true`: reading `wsgi.input` ends by itself, also without CONTENT_LENGTH. */
  "wsgi.input_terminated": true;
  "wsgi.file_wrapper": FileWrapper;
  /** Sends a 103 Early Hints head; absent where the carrier cannot. */
  "wsgi.early_hints"?: (headers: readonly (readonly [name: string, value: string])[]) => void;
  /** Request headers, and what a mount's `variables` adds. */
  [variable: Uppercase<string>]: string | undefined;
  /** Keys of servers and middleware have a dot in them. */
  [extension: `${string}.${string}`]: unknown;
}

/** `wsgi.input` (PEP 3333, "Input and Error Streams"): the body of the request. Empty only at its end. */
export interface WsgiInputStream extends Iterable<Uint8Array> {
  /** Exactly `size` bytes, or fewer at the end; without `size`, or with a negative one, all that is left. */
  read(size?: number): Uint8Array;
  /** At most `size` bytes, as soon as there are any: `io.BufferedReader`'s name for it, not the PEP's. */
  read1?(size?: number): Uint8Array;
  /** One line with its `\n`, or the first `size` bytes of it. */
  readline(size?: number): Uint8Array;
  /** All lines, or as many as have about `hint` bytes. */
  readlines(hint?: number): Uint8Array[];
}

/** `wsgi.errors` (PEP 3333, "Input and Error Streams"): text for the log. */
export interface WsgiErrorStream {
  write(text: string): void;
  writelines(lines: Iterable<string>): void;
  flush(): void;
}

/** Anything with `read`, and with `close` if it holds something open. */
export interface FileLike {
  read(size?: number): Uint8Array;
  close?(): void;
}

/** `wsgi.file_wrapper`: makes an iterable of a file-like object; chunks of about `blockSize` bytes. */
export type FileWrapper = (file: FileLike, blockSize?: number) => WsgiIterable;
