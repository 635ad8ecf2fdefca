// A WSGI-shaped app of a file, in worker threads that load it as the command does.
import type { AppSource } from "@gw/core";
import type { WsgiThreadsOptions } from "@gw/wsgi";
/** Options of `wsgiThreads` that can follow a file's `?`. */
export type ThreadTargetOptions = Pick<
  WsgiThreadsOptions,
  "timeoutMs" | "maxRequests" | "maxQueued" | "queueTimeoutMs" | "maxStreams" | "bufferBodies"
>;

/** What is run in threads. */
export interface ThreadedAppOptions {
  /** Absolute path of the file. */
  readonly path: string;
  /** Name of the export. */
  readonly name: string;
  /** How the user wrote both. */
  readonly title: string;
  readonly options: ThreadTargetOptions & Required<Pick<WsgiThreadsOptions, "threads" | "required">>;
}

/** The app on threads. Loads nothing before it is started. */
export async function threadedApp({ path, name, title, options }: ThreadedAppOptions): Promise<AppSource> {
  const { wsgiThreads } = await import("@gw/wsgi");
  return wsgiThreads(name === "default" ? path : `${path}:${name}`, {
    ...options,
    name: title,
  });
}
