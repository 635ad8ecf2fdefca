// Ending well: what runs is finished, what is idle is closed, what takes too long is cut (R-O1, R-O2).
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Generation } from "./generation.ts";
import { FIRST_REQUEST_FACTOR, type ServerState } from "./server-state.ts";

/** Finishes every exchange and closes every connection of a server that accepts no more; cuts what still runs at the deadline. */
export async function drainServer(state: ServerState, deadline: AbortSignal): Promise<void> {
  for (const connection of state.connections) connection.drain();
  state.generation.closeSockets();
  await Promise.race([allClosed(state), fired(deadline)]);
  state.generation.cutSockets();
  for (const connection of state.connections) connection.cut();
  for (const socket of state.sockets) socket.destroy(); // those that have not said what they speak
  await settled(state.generation);
}

async function allClosed({ sockets, connections, generation, idleGraceMs }: ServerState): Promise<void> {
  // Who has just connected is about to ask, and on a busy machine that takes its time.
  const until = performance.now() + idleGraceMs * FIRST_REQUEST_FACTOR;
  while (sockets.size > connections.size && performance.now() < until) await setTimeout(LOOK_MS);
  await setImmediate(); // what has come while our loop stood still is read by now
  while (connections.size > 0) await Promise.all([...connections].map(({ closed }) => closed));
  await generation.idle();
}

/** Lets an app that was replaced finish its exchanges, cuts those beyond the deadline, and stops it. */
export async function finishGeneration(state: ServerState, old: Generation, deadline: AbortSignal): Promise<void> {
  old.closeSockets();
  await Promise.race([old.idle(), fired(deadline)]);
  old.cutSockets();
  if (old.running > 0) for (const connection of state.connections) connection.cutExchangesOf(old);
  await settled(old);
  await old.runtime.stop(deadline);
}

/** Exchanges that were cut end when their apps notice: wait for those that do so soon. */
async function settled(generation: Generation): Promise<void> {
  await Promise.race([generation.idle(), setTimeout(NOTICE_MS, undefined, { ref: false })]);
}

const NOTICE_MS = 1_000;
const LOOK_MS = 20;

function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
