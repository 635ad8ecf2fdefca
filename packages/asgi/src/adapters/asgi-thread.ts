// The program of an ASGI app's thread: loads the app, runs its startup, serves.
import { parentPort, workerData } from "node:worker_threads";
import { createContext, Runtime } from "@gw/core";
import {
  ChannelEnd,
  FROM_APP,
  loadFunction,
  type RecordParts,
  TO_APP,
  threadLogger,
  writeError,
} from "@gw/wsgi/threads";
import type { AsgiApp } from "../app.ts";
import { fromAsgi } from "../from-asgi.ts";
import type { AsgiThreadData } from "./asgi-caller.ts";
import { RemoteCall } from "./remote-call.ts";

const { memory, dead, place, lifespan, startTimeoutMs } = workerData as AsgiThreadData;
const port = parentPort as NonNullable<typeof parentPort>;
const channel = new ChannelEnd(memory, 1, () => port.postMessage(0));
/** Records that found no room. */
const unsent: { kind: number; parts: RecordParts }[] = [];
const calls = new Map<number, RemoteCall>();

const send = (kind: number, parts: RecordParts = {}): void => {
  if (unsent.length > 0 || !channel.send(kind, parts)) unsent.push({ kind, parts });
};
const log = threadLogger((level, texts) => send(FROM_APP.LOG, { a: level, texts }));
const context = createContext({ log });

// Whoever is blocked in a call must hear that nobody will answer.
process.on("exit", () => {
  Atomics.store(new Int32Array(dead), 0, 1);
  channel.wake();
});
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error: unknown) => log.error({ err: error }, "an error outside of any request"));
}

function look(runtime: Runtime): void {
  do {
    for (let record = channel.receive(); record !== null; record = channel.receive()) {
      if (record.kind === TO_APP.PING) send(FROM_APP.PONG);
      else if (record.kind === TO_APP.STOP) void stop(runtime);
      else if (record.kind === TO_APP.REQUEST) {
        const { id } = record;
        const call = new RemoteCall(record, runtime, send);
        calls.set(id, call);
        void call.run().finally(() => calls.delete(id));
      } else calls.get(record.id)?.take(record);
    }
    while (unsent.length > 0) {
      const { kind, parts } = unsent[0] as { kind: number; parts: RecordParts };
      if (!channel.send(kind, parts)) break;
      unsent.shift();
    }
  } while (!channel.sleep());
}

async function stop(runtime: Runtime): Promise<void> {
  try {
    await runtime.stop(AbortSignal.timeout(startTimeoutMs));
  } catch (error) {
    log.error({ err: error }, "the app failed to stop");
  }
  process.exit();
}

try {
  const app = (await loadFunction(place)) as AsgiApp;
  const runtime = new Runtime(fromAsgi(app, { lifespan, startupTimeoutMs: startTimeoutMs }), { context });
  await runtime.start();
  port.on("message", () => look(runtime));
  send(FROM_APP.READY);
  look(runtime);
} catch (error) {
  send(FROM_APP.FAILED, { texts: [writeError(error)] });
}
