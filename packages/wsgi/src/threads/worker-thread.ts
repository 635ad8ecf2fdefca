// One thread as the pool sees it: what it has been given, what it says, how it ends.
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { HeaderList, Logger } from "@gw/core";
import type { Concurrency } from "../environ.ts";
import { CallPlaces } from "./call-places.ts";
import { ChannelEnd, channelMemory, type RecordParts } from "./channel.ts";
import { readError } from "./error-record.ts";
import { headTooLong } from "./errors.ts";
import { HeadMemory } from "./head-memory.ts";
import type { AppPlace } from "./load-app.ts";
import { threadProgram } from "./package-file.ts";
import { FROM_APP, STATE, stateMemory, TO_APP } from "./protocol.ts";
import type { RingRecord } from "./ring.ts";
import type { ThreadData } from "./thread.ts";
import type { CallThread, ThreadCall } from "./thread-call.ts";
import { logLine } from "./thread-log.ts";
import { within } from "./within.ts";

/** How a thread is started. */
export interface WorkerThreadOptions {
  readonly place: AppPlace;
  readonly concurrency: Concurrency;
  readonly execArgv: readonly string[] | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly name: string;
  readonly log: Logger;
}

/** What the pool hears of it. */
export interface WorkerThreadEvents {
  ready(thread: WorkerThread): void;
  /** It could not load the app; it ends. */
  failed(thread: WorkerThread, error: Error): void;
  /** It is done with a request, or goes on with it while another may begin. */
  free(thread: WorkerThread): void;
  /** It has ended. @param lost what it had */
  ended(thread: WorkerThread, lost: LostCalls): void;
}

/** What was in a thread when it ended. */
export interface LostCalls {
  readonly begun: readonly ThreadCall[];
  readonly waiting: readonly ThreadCall[];
  /** `"exited with code 1"`, or what it threw. */
  readonly how: string;
}

/** Work that a thread may be given ahead, microseconds: more would make the last request wait for the first. */
const AHEAD_US = 1_000;
const MAX_AHEAD = 16;

/** One thread. */
export class WorkerThread implements CallThread {
  readonly startedAt: number = performance.now();
  readyAt = 0;
  served = 0;
  /** No more requests for it. */
  isRetiring = false;
  readonly #worker: Worker;
  readonly #channel: ChannelEnd;
  readonly #state: Int32Array;
  readonly #events: WorkerThreadEvents;
  readonly #log: Logger;
  readonly #calls: CallPlaces;
  /** Records that found no room. */
  readonly #unsent: { kind: number; parts: RecordParts }[] = [];
  readonly #heads = new HeadMemory();
  #isWaking = false;
  #steps = 0;
  #stepsSeenAt = 0;
  #error: Error | null = null;
  #onStopped: () => void = () => {};
  #onIdle: () => void = () => {};
  readonly #ended: Promise<void>;

  constructor(options: WorkerThreadOptions, events: WorkerThreadEvents) {
    const { place, concurrency, execArgv, resourceLimits, name, log } = options;
    const memory = channelMemory();
    const state = stateMemory();
    const workerData: ThreadData = { memory, state, place, concurrency };
    this.#events = events;
    this.#log = log;
    this.#state = new Int32Array(state);
    this.#calls = new CallPlaces(this.#state);
    this.#worker = new Worker(threadProgram("thread.js", import.meta.url), {
      workerData,
      name: name.slice(0, 64),
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      ...(resourceLimits !== undefined && { resourceLimits }),
    });
    this.#channel = new ChannelEnd(memory, 0, () => this.#worker.postMessage(0));
    this.#worker.on("message", () => this.look());
    this.#worker.on("error", (error) => {
      this.#error = error as Error;
    });
    this.#ended = new Promise((done) => {
      this.#worker.once("exit", (code) => {
        this.#exited(code);
        done();
      });
    });
    this.look();
  }

  /** Requests that it has begun or will, without those whose answers are walked. */
  get busy(): number {
    return this.#calls.busy;
  }

  /** Answers that are walked. */
  get streams(): number {
    return this.#calls.streams;
  }

  /** Everything it has. */
  get load(): number {
    return this.#calls.size;
  }

  /** How many requests it may have at the same time: many if they are cheap, one if they are not, or if nobody knows yet. */
  get depth(): number {
    const cost = Atomics.load(this.#state, STATE.COST_US);
    return cost === 0 ? 1 : Math.max(1, Math.min(MAX_AHEAD, Math.floor(AHEAD_US / cost)));
  }

  /** Gives it a request. @returns false if it has no room */
  give(call: ThreadCall): boolean {
    if (this.#unsent.length > 0 || !this.#calls.take(call)) return false;
    const { a, b, texts, bytes } = call.record;
    try {
      if (!this.#channel.post(TO_APP.REQUEST, { id: call.id, a, b, texts, bytes })) {
        this.#calls.takeBack(call);
        return false;
      }
    } catch {
      this.#calls.takeBack(call);
      call.fail(headTooLong(431));
      return true;
    }
    this.#wakeSoon();
    if (this.#calls.size === 1) this.#worker.ref();
    this.served++;
    call.givenTo(this);
    return true;
  }

  /** All requests of one turn of the event loop wake the thread once: waking costs more than a short request. */
  #wakeSoon(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      this.#channel.wake();
    });
  }

  /** Takes a request back that it has not begun. */
  takeBack(call: ThreadCall): boolean {
    if (!this.#calls.takeBack(call)) return false;
    this.served--;
    this.#dropped();
    call.givenTo(null);
    return true;
  }

  /** The requests it has not begun, oldest first, that it was given before this time. */
  waitingSince(time: number): ThreadCall[] {
    return this.#calls.waiting().filter(({ givenAt }) => givenAt < time);
  }

  /** The request whose code has run without a step for longer than this; `null`: none has. */
  hungFor(timeoutMs: number, now: number): ThreadCall | null {
    const steps = Atomics.load(this.#state, STATE.STEPS);
    const current = Atomics.load(this.#state, STATE.CURRENT);
    const isWaiting = Atomics.load(this.#state, STATE.WAITING) === 1;
    if (current === 0 || isWaiting || steps !== this.#steps) {
      this.#steps = steps;
      this.#stepsSeenAt = now;
      return null;
    }
    return now - this.#stepsSeenAt > timeoutMs ? (this.#calls.get(current) ?? null) : null;
  }

  send(kind: number, parts: RecordParts): void {
    if (this.#unsent.length > 0 || !this.#channel.send(kind, parts)) this.#unsent.push({ kind, parts });
  }

  headersOf(lines: readonly string[]): HeaderList {
    return this.#heads.listOf(lines);
  }

  /** Settles when it has nothing to do, or after this long. */
  idle(timeoutMs: number): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return within(timeoutMs, (done) => {
      this.#onIdle = done;
    });
  }

  /** Lets the app stop, then ends the thread; at once if it hangs. */
  async stop(timeoutMs: number): Promise<void> {
    this.isRetiring = true;
    const stopped = within(timeoutMs, (done) => {
      this.#onStopped = done;
      void this.#ended.then(done);
    });
    this.send(TO_APP.STOP, {});
    await stopped;
    await this.kill();
  }

  /** Ends the thread, whatever it does. */
  async kill(): Promise<void> {
    this.isRetiring = true;
    await this.#worker.terminate();
    await this.#ended;
  }

  /** Reads what the thread has sent; then it rings again. */
  look(): void {
    do {
      for (let record = this.#channel.receive(); record !== null; record = this.#channel.receive()) this.#take(record);
      while (this.#unsent.length > 0) {
        const { kind, parts } = this.#unsent[0] as { kind: number; parts: RecordParts };
        if (!this.#channel.send(kind, parts)) break;
        this.#unsent.shift();
      }
    } while (!this.#channel.sleep());
  }

  #take(record: RingRecord): void {
    const call = this.#calls.get(record.id);
    if (call !== undefined) return this.#takeOf(call, record);
    switch (record.kind) {
      case FROM_APP.READY:
        this.readyAt = performance.now();
        this.#worker.unref();
        return this.#events.ready(this);
      case FROM_APP.FAILED:
        this.isRetiring = true;
        return this.#events.failed(this, readError(record.texts[0] as string));
      case FROM_APP.LOG:
        return logLine(this.#log, record.a, record.texts);
      case FROM_APP.STOPPED:
        return this.#onStopped();
    }
  }

  #takeOf(call: ThreadCall, record: RingRecord): void {
    const wasStreaming = call.isStreaming;
    const isDone = call.take(record);
    const isStream = call.isStreaming && !wasStreaming;
    if (isStream) this.#calls.stream(call);
    if (isDone) {
      this.#calls.drop(call);
      this.#dropped();
    }
    if (isDone || isStream) this.#events.free(this);
  }

  #dropped(): void {
    if (this.#calls.size > 0) return;
    this.#worker.unref();
    this.#onIdle();
  }

  /** What it sent before it ended counts. */
  #exited(code: number): void {
    this.look();
    const lost: LostCalls = {
      begun: this.#calls.begun(),
      waiting: this.#calls.waiting(),
      how: this.#error === null ? `exited with code ${code}` : `ended: ${this.#error.message}`,
    };
    for (const call of lost.waiting) call.givenTo(null);
    this.#calls.clear();
    this.#onIdle();
    this.#events.ended(this, lost);
  }
}
