// Settings → how the worker processes are kept.
import type { Invocation } from "../invocation.ts";
import { UsageError } from "../usage-error.ts";
import type { GatewayWorkersOptions } from "./gateway-workers.ts";

const HANG_TIMEOUT_MS = 30_000;
/** More are a slip of the finger. */
export const MOST_WORKERS = 256;

/**
 * Whether the call asks for a process tree: `--workers` with a number from 1 on. 0 means one process alone, unless it
 * shall become another user: a process that binds as root never serves.
 *
 * @throws UsageError for a number that cannot be meant
 */
export function wantsTree({ settings }: Pick<Invocation, "settings">): boolean {
  const count = settings.number("workers") ?? 0;
  if (count > MOST_WORKERS) throw new UsageError(`--workers: found ${count}, allowed: 0 to ${MOST_WORKERS}`);
  return count > 0 || settings.text("user") !== undefined || settings.text("group") !== undefined;
}

/** How the workers of a call are started and kept. They run the very same command line. */
export function workersOptionsOf({
  settings,
  environment,
}: Invocation): Pick<
  GatewayWorkersOptions,
  "command" | "env" | "count" | "hangTimeoutMs" | "maxRequests" | "maxRssBytes"
> {
  const [program, ...args] = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  return {
    command: [program as string, ...args],
    env: Object.fromEntries(
      Object.entries(environment).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    count: settings.number("workers") || 1,
    hangTimeoutMs: settings.number("workerTimeout") ?? HANG_TIMEOUT_MS,
    maxRequests: settings.number("maxRequests") ?? 0,
    maxRssBytes: settings.number("maxRss") ?? 0,
  };
}
