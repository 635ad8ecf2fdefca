// Ending well: what runs is finished, what is idle is closed, what takes too long is cut (R-O1, R-O2).
import type { Generation } from "./generation.ts";
import type { ServerState } from "./server-state.ts";

/** How to drain. */
export interface DrainOptions {
  /** How long an idle connection stays open for a request that is on its way. */
  readonly idleGraceMs: number;
  /** Fires when what still runs is to be cut. */
  readonly deadline: AbortSignal;
}

/** Finishes every exchange and closes every connection of a server that accepts no more. */
export async function drainServer(state: ServerState, { idleGraceMs, deadline }: DrainOptions): Promise<void> {
  const { generation, connections } = state;
  for (const connection of connections) connection.drain(idleGraceMs);
  generation.closeSockets();
  const closed = Promise.all([...connections].map((connection) => connection.closed));
  await Promise.race([Promise.all([generation.idle(), closed]), fired(deadline)]);
  generation.cutSockets();
  for (const connection of connections) connection.cut();
  await Promise.all([...connections].map((connection) => connection.closed));
}

/** Lets an app that was replaced finish its exchanges, cuts those beyond the deadline, and stops it. */
export async function finishGeneration(state: ServerState, old: Generation, deadline: AbortSignal): Promise<void> {
  old.closeSockets();
  await Promise.race([old.idle(), fired(deadline)]);
  old.cutSockets();
  if (old.running > 0) for (const connection of state.connections) connection.cutExchangesOf(old);
  await old.runtime.stop(deadline);
}

function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
