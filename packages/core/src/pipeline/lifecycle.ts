// Start in order, stop in reverse; a part that sits in two places starts once and stops with its last user.

import type { Lifecycle } from "../model/app.ts";
import type { AppContext } from "../model/context.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";

interface Running {
  users: number;
  readonly started: Promise<void>;
}

const running = new WeakMap<object, Running>();

/** Starts a part unless it runs already. Pair every success with one `stopOnce`. */
export async function startOnce(part: Lifecycle, context: AppContext): Promise<void> {
  const found = running.get(part);
  if (found !== undefined) {
    found.users++;
    return found.started;
  }
  const started = (async () => part.start?.(context))();
  running.set(part, { users: 1, started });
  try {
    await started;
  } catch (error) {
    running.delete(part);
    throw error;
  }
}

/** Stops a part when its last user leaves it; does nothing for one that does not run. */
export async function stopOnce(part: Lifecycle, deadline: AbortSignal): Promise<void> {
  const found = running.get(part);
  if (found === undefined || --found.users > 0) return;
  running.delete(part);
  await part.stop?.(deadline);
}

/**
 * The life of a list of parts as one.
 *
 * `start`: in order; when one fails, those already started are stopped in
 * reverse and the first error is thrown. `stop`: in reverse; `reload`: in
 * order; both reach every part, and the first error is thrown at the end.
 */
export function lifecycleOf(parts: readonly Lifecycle[]): Required<Pick<Lifecycle, "start" | "stop" | "reload">> {
  return {
    async start(context) {
      const started: Lifecycle[] = [];
      try {
        for (const part of parts) {
          await startOnce(part, context);
          started.push(part);
        }
      } catch (error) {
        await stopAll(started, AbortSignal.timeout(START_ROLLBACK_MS)).catch((second: unknown) =>
          context.log.error({ err: second }, "a part failed to stop after another failed to start"),
        );
        throw error;
      }
    },
    stop: (deadline) => stopAll(parts, deadline),
    async reload() {
      await eachOf([...new Set(parts)], (part) => part.reload?.());
    },
  };
}

const START_ROLLBACK_MS = 5_000;

function stopAll(parts: readonly Lifecycle[], deadline: AbortSignal): Promise<void> {
  return eachOf([...parts].reverse(), (part) => stopOnce(part, deadline));
}

/** Runs a step on every part, in order, whatever fails; then throws the first error. */
async function eachOf(parts: readonly Lifecycle[], step: (part: Lifecycle) => MaybePromise<void>): Promise<void> {
  let failed: { error: unknown } | null = null;
  for (const part of parts) {
    try {
      await step(part);
    } catch (error) {
      failed ??= { error };
    }
  }
  if (failed !== null) throw failed.error;
}
