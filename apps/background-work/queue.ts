// What the gateway and the workers agree on: the queue's name, its jobs, and where Redis is.
import type { ConnectionOptions } from "bullmq";

/** A mail that somebody must get, even if a process dies first. */
export interface Mail {
  readonly to: string;
  readonly order: number;
}

export const QUEUE = "mails";

/** `REDIS_SOCKET`: a unix socket; else `REDIS_URL`. */
export function redis(): ConnectionOptions {
  const { REDIS_SOCKET, REDIS_URL = "redis://127.0.0.1:6379" } = process.env;
  // Workers wait on Redis for as long as it takes.
  const patience = { maxRetriesPerRequest: null };
  return REDIS_SOCKET === undefined ? { url: REDIS_URL, ...patience } : { path: REDIS_SOCKET, ...patience };
}
