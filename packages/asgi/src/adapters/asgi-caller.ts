// The thread of an ASGI app as its caller sees it: a caller that blocks until the app has something for it.
import { Worker } from "node:worker_threads";
import type { Logger } from "@gw/core";
import type { Environ, StartResponse, WsgiIterable } from "@gw/wsgi";
import {
  type AppPlace,
  appDown,
  ChannelEnd,
  type ChannelMemory,
  channelMemory,
  FROM_APP,
  logLine,
  type RecordParts,
  readError,
  TO_APP,
  threadDied,
  threadHangs,
  threadProgram,
} from "@gw/wsgi/threads";
import type { LifespanMode } from "../lifespan.ts";
import { SyncCall } from "./sync-call.ts";

/** How the thread is started and waited for. */
export interface AsgiCallerOptions {
  readonly place: AppPlace;
  readonly lifespan: LifespanMode;
  readonly timeoutMs: number;
  readonly startTimeoutMs: number;
  readonly execArgv: readonly string[] | undefined;
  readonly name: string;
}

/** What the thread is started with. */
export interface AsgiThreadData {
  readonly memory: ChannelMemory;
  /** One word: 1 once the thread has ended. */
  readonly dead: SharedArrayBuffer;
  readonly place: AppPlace;
  readonly lifespan: LifespanMode;
  readonly startTimeoutMs: number;
}

/** A thread can end without a word (out of memory); it is looked at this often. */
const SLICE_MS = 500;
/** Time for the sign of life of a thread that gives none by itself. */
const PONG_MS = 1_000;

/** One thread, and the calls in it. */
export class AsgiCaller {
  readonly #options: AsgiCallerOptions;
  readonly #log: Logger;
  readonly #worker: Worker;
  readonly #channel: ChannelEnd;
  readonly #dead: Int32Array;
  readonly #calls = new Map<number, SyncCall>();
  #lastId = 0;
  #state: "loading" | "ready" | "over" = "loading";
  #error: Error | null = null;
  #hasPong = false;

  constructor(options: AsgiCallerOptions, log: Logger) {
    const { place, lifespan, startTimeoutMs, execArgv, name } = options;
    const memory = channelMemory();
    const dead = new SharedArrayBuffer(4);
    const workerData: AsgiThreadData = { memory, dead, place, lifespan, startTimeoutMs };
    this.#options = options;
    this.#log = log;
    this.#dead = new Int32Array(dead);
    this.#worker = new Worker(threadProgram("asgi-thread.js", import.meta.url), {
      workerData,
      name: name.slice(0, 64),
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
    });
    this.#worker.on("error", (error) => {
      this.#error ??= error as Error;
    });
    // A caller that never waits for it must not be kept alive by it.
    this.#worker.unref();
    this.#channel = new ChannelEnd(memory, 0, () => this.#worker.postMessage(0));
  }

  /** Whether another thread has to take its place. */
  get isOver(): boolean {
    return this.#state === "over" || Atomics.load(this.#dead, 0) === 1;
  }

  /** Calls that are not over. */
  get load(): number {
    return this.#calls.size;
  }

  /** Blocks until the app is loaded. @throws what loading it throws */
  waitUntilReady(): void {
    const { startTimeoutMs, name } = this.#options;
    try {
      this.waitFor(() => this.#state !== "loading", startTimeoutMs);
    } catch (error) {
      this.end();
      throw this.#error ?? appDown(name, `it did not load within ${startTimeoutMs} ms`, error);
    }
    if (this.#error !== null) {
      this.end();
      throw this.#error;
    }
  }

  /** One call; blocks until the app has sent a head, or has failed. */
  call(environ: Environ, startResponse: StartResponse): WsgiIterable {
    this.#lastId = this.#lastId === 0x7fff_ffff ? 1 : this.#lastId + 1;
    const id = this.#lastId;
    const call = new SyncCall(id, environ, this);
    this.#calls.set(id, call);
    return call.begin(startResponse);
  }

  /** Sends a record; blocks while there is no room for it. */
  send(kind: number, parts: RecordParts): void {
    if (this.isOver) throw this.#died();
    if (!this.#channel.sendSync(kind, parts, this.#options.timeoutMs)) throw this.#hangs();
  }

  /** Forgets a call. */
  forget(id: number): void {
    this.#calls.delete(id);
  }

  /**
   * Takes what the thread has sent, and blocks until there is what is waited for.
   *
   * @throws GatewayError `GW_THREAD_TIMEOUT`, `GW_THREAD_DIED`
   */
  waitFor(isThere: () => boolean, timeoutMs: number = this.#options.timeoutMs): void {
    for (let left = timeoutMs; ; ) {
      this.#take();
      if (isThere()) return;
      if (this.isOver) {
        this.#take(); // its last words
        if (isThere()) return;
        throw this.#died();
      }
      if (left <= 0) throw this.#state === "loading" ? threadHangs(timeoutMs) : this.#hangs();
      const began = performance.now();
      this.#channel.waitSync(Math.min(left, SLICE_MS));
      left -= performance.now() - began;
    }
  }

  /** Lets the app stop, then ends the thread. */
  async stop(deadline: AbortSignal): Promise<void> {
    const exited = new Promise<void>((done) => this.#worker.once("exit", () => done()));
    const late = new Promise<void>((done) => deadline.addEventListener("abort", () => done(), { once: true }));
    if (!this.isOver && this.#channel.send(TO_APP.STOP)) {
      this.#worker.ref();
      await (deadline.aborted ? undefined : Promise.race([exited, late]));
    }
    this.#take();
    this.end();
  }

  /** Ends the thread; what is in it is lost. */
  end(): void {
    this.#state = "over";
    void this.#worker.terminate();
  }

  #take(): void {
    for (let record = this.#channel.receive(); record !== null; record = this.#channel.receive()) {
      const call = this.#calls.get(record.id);
      if (call !== undefined) call.take(record);
      else if (record.kind === FROM_APP.READY) this.#state = "ready";
      else if (record.kind === FROM_APP.PONG) this.#hasPong = true;
      else if (record.kind === FROM_APP.LOG) logLine(this.#log, record.a, record.texts);
      else if (record.kind === FROM_APP.FAILED) {
        this.#error = readError(record.texts[0] as string);
        this.#state = "over";
      }
    }
  }

  #died(): Error {
    this.#state = "over";
    return threadDied(this.#error === null ? "ended" : `ended: ${this.#error.message}`);
  }

  /** The app has not given a sign. If its event loop does not either, the thread is of no use any more. */
  #hangs(): Error {
    this.#hasPong = false;
    const isSent = this.#channel.send(TO_APP.PING);
    for (let left = PONG_MS; isSent && !this.#hasPong && left > 0; ) {
      const began = performance.now();
      this.#channel.waitSync(left);
      this.#take();
      left -= Math.max(1, performance.now() - began);
    }
    if (!this.#hasPong) this.end();
    return threadHangs(this.#options.timeoutMs);
  }
}
