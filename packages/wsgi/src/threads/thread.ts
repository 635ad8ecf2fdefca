// The program of a thread: loads the app, says so, serves.
import { parentPort, workerData } from "node:worker_threads";
import { createContext, isPromise, type Lifecycle } from "@gw/core";
import type { Concurrency } from "../environ.ts";
import type { WsgiApp } from "../types.ts";
import { AppThread, threadRuntime } from "./app-thread.ts";
import { ChannelEnd, type ChannelMemory } from "./channel.ts";
import { writeError } from "./error-record.ts";
import { type AppPlace, loadFunction } from "./load-app.ts";
import { FROM_APP } from "./protocol.ts";
import { threadLogger } from "./thread-log.ts";

/** What a thread is started with. */
export interface ThreadData {
  readonly memory: ChannelMemory;
  readonly state: SharedArrayBuffer;
  readonly place: AppPlace;
  readonly concurrency: Concurrency;
}

const { memory, state, place, concurrency } = workerData as ThreadData;
const port = parentPort as NonNullable<typeof parentPort>;
const channel = new ChannelEnd(memory, 1, () => port.postMessage(0));
const log = threadLogger((level, texts) => channel.sendSync(FROM_APP.LOG, { a: level, texts }));
const context = createContext({ log, hasSiblings: concurrency.multiprocess });

// What an app leaves lying about costs nobody's request (R-W5).
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error: unknown) => log.error({ err: error }, "an error outside of any request"));
}

try {
  const app = (await loadFunction(place)) as WsgiApp & Lifecycle;
  await app.start?.(context);
  const stop = async (): Promise<void> => {
    try {
      await app.stop?.(AbortSignal.timeout(1_000));
    } catch (error) {
      log.error({ err: error }, "the app failed to stop");
    }
    channel.sendSync(FROM_APP.STOPPED, {});
  };
  const onStop = (): void => {
    const stopping = stop();
    if (isPromise(stopping)) stopping.catch(() => {});
  };
  const thread = new AppThread({ channel, state, app, concurrency, onStop }, threadRuntime(context));
  port.on("message", () => thread.run());
  channel.sendSync(FROM_APP.READY, { texts: [] });
  thread.run();
} catch (error) {
  channel.sendSync(FROM_APP.FAILED, { texts: [writeError(error)] });
}
