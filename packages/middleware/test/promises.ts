// How many promises a piece of code makes: sync pipelines make none.
import { createHook } from "node:async_hooks";

/** Runs the function and counts the promises made meanwhile, ours and the runtime's. */
export function promisesMadeBy(run: () => void): number {
  let made = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === "PROMISE") made++;
    },
  }).enable();
  try {
    run();
  } finally {
    hook.disable();
  }
  return made;
}
