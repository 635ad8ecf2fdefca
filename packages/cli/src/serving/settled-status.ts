// How an app is doing once it is decided: a backend that is starting may still fail.
import type { App, Description, Status } from "@gw/core";
import { StartError } from "../usage-error.ts";

const LOOK_MS = 25;
/** Longer than any backend may take to start. */
const PATIENCE_MS = 180_000;
/** Time for a version that was refused to stop. */
const STOP_MS = 5_000;

/** The status of an app when nothing of it is starting any more; `null`: it has none. */
export async function settledStatus(app: Pick<App, "status">): Promise<Status | null> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = app.status?.() ?? null;
    if (status === null || !isStarting(status) || performance.now() > giveUpAt) return status;
    await new Promise((done) => setTimeout(done, LOOK_MS)); // a status is asked for, and tells nothing by itself
  }
}

/** Processes within a backend come and go: its own state is what counts. */
function isStarting({ state, children = [] }: Status): boolean {
  return state === "starting" || (state !== "ready" && children.some(isStarting));
}

/**
 * Refuses an app whose backend has failed, and stops it.
 *
 * @throws StartError saying which, and why
 */
export async function refuseFailed(app: App, words: string): Promise<void> {
  const status = await settledStatus(app);
  if (status?.state !== "failed") return;
  await app.stop?.(AbortSignal.timeout(STOP_MS));
  throw new StartError(`${words}: ${whyFailed(status)}`);
}

/** The error of the part that failed, wherever it is in the tree. Pure. */
export function whyFailed({ name, state, error = null, children = [] }: Status): string {
  const part = children.find((child) => child.state === "failed");
  if (part !== undefined && part.error !== null) return whyFailed(part);
  return error === null ? `${name} is ${state}` : `${name}: ${error}`;
}

/** How many apps there are: mounts and the one for the rest. Pure. */
export function appCount({ kind, children = [] }: Description): number {
  if (kind === "mounts") return children.length;
  return Math.max(1, ...children.map(appCount));
}
