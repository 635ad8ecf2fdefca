// What can be said about the threads of an app.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ResourceLimits } from "node:worker_threads";
import { GatewayError, type HttpRequest } from "@gw/core";

/** Inputs of `wsgiThreads`. */
export interface WsgiThreadsOptions {
  /** Threads. @default 1 */
  threads?: number;
  /**
   * Longest time the app may hold its thread in one step (from the call to the first chunk, from one chunk to the next),
   * milliseconds; time spent waiting for the client does not count. Then: 504, and a new thread in its place. 0: none.
   *
   * @default 60_000
   */
  timeoutMs?: number;
  /** Requests after which a thread is replaced. 0: never. @default 0 */
  maxRequests?: number;
  /** Requests that wait for a free thread; further ones are answered 503. @default 1_000 */
  maxQueued?: number;
  /** Time in that queue before 503, milliseconds. @default 30_000 */
  queueTimeoutMs?: number;
  /**
   * Answers that one thread may have open to clients that take them slowly. They share its fate: 1 gives each thread
   * one request at a time, but then a slow client holds a thread. @default 32
   */
  maxStreams?: number;
  /**
   * Whether a request's body is read to its end (into memory, then a temporary file) before a thread is asked, so that
   * a slow client holds none. @default true with one thread, else false
   */
  bufferBodies?: boolean;
  /** Time to load the app, milliseconds. @default 30_000 */
  startTimeoutMs?: number;
  /** Time for what is under way at a stop or a reload, milliseconds. @default 10_000 */
  stopTimeoutMs?: number;
  /** First and longest pause before a thread that could not load the app is tried again, milliseconds. @default [500, 30_000] */
  backOffMs?: readonly [first: number, longest: number];
  /** Whether a failure to load the app stops the gateway; else its mount answers 503 and it is tried again. @default false */
  required?: boolean;
  /** Arguments of Node for the threads: `["--import", "tsx"]` reads TypeScript on Node 20. @default the process's own */
  execArgv?: readonly string[];
  /** Module whose `load(file, name)` gives the app in the thread. @default the command's, else `import(file)` */
  loader?: string;
  /** Limits of a thread's memory (`maxOldGenerationSizeMb`, …); beyond them it is replaced. @default Node's */
  resourceLimits?: ResourceLimits;
  /**
   * Further keys of the environ, with a dot in their name: what of a session, for example, the app is to see. JSON,
   * copied: what the app changes stays in its thread.
   */
  keys?: (request: HttpRequest) => Readonly<Record<string, unknown>>;
  /** `wsgi.multiprocess`. @default what the carrier says at start, else false */
  multiprocess?: boolean;
  /** Name in logs, status and descriptions. @default the file */
  name?: string;
}

/** The options with their defaults. */
export type ThreadSettings = WsgiThreadsOptions &
  Required<Pick<WsgiThreadsOptions, (typeof COUNTS)[number] | (typeof AMOUNTS)[number] | "backOffMs" | "required">>;

/** The file of an app and the name of its export: `./app.ts`, `./app.ts:admin`, or a `file:` URL with `#admin`. */
export interface AppFile {
  /** Absolute. */
  readonly path: string;
  readonly exportName: string;
  /** As it was written. */
  readonly text: string;
}

const COUNTS = ["threads", "maxStreams"] as const;
const AMOUNTS = ["timeoutMs", "maxRequests", "maxQueued", "queueTimeoutMs", "startTimeoutMs", "stopTimeoutMs"] as const;

const DEFAULTS = {
  threads: 1,
  maxStreams: 32,
  timeoutMs: 60_000,
  maxRequests: 0,
  maxQueued: 1_000,
  queueTimeoutMs: 30_000,
  startTimeoutMs: 30_000,
  stopTimeoutMs: 10_000,
  backOffMs: [500, 30_000],
  required: false,
} as const;

/**
 * The options with their defaults.
 *
 * @throws GatewayError `GW_THREAD_OPTION` naming the option, what was found and what is allowed
 */
export function threadSettings(options: WsgiThreadsOptions): ThreadSettings {
  for (const name of COUNTS) check(name, options[name], 1);
  for (const name of AMOUNTS) check(name, options[name], 0);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

function check(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least)) return;
  throw wrong(`${name} is ${JSON.stringify(value)}; allowed is a whole number from ${least} on`);
}

/**
 * The file and the export that an app's place means.
 *
 * @throws GatewayError `GW_THREAD_OPTION` if there is no such file
 */
export function readAppFile(file: string | URL): AppFile {
  if (file instanceof URL && file.protocol !== "file:") throw wrong(`the app is ${file}; allowed is a file: URL`);
  const named = /^(.+):([A-Za-z_$][\w$]*)$/s;
  const text = file instanceof URL ? fileURLToPath(file) : file;
  const [, place, exportName] =
    file instanceof URL
      ? [text, text, decodeURIComponent(file.hash.slice(1)) || "default"]
      : (named.exec(text) ?? [text, text, "default"]);
  const path = resolve(place as string);
  if (!existsSync(path)) throw wrong(`the app's file ${path} is not there`);
  return { path, exportName: exportName as string, text };
}

function wrong(message: string): GatewayError {
  return new GatewayError("GW_THREAD_OPTION", 500, message);
}
