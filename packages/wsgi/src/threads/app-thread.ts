// The loop of a thread: it begins requests and walks answers, one step at a time, and sleeps when there is nothing to do.
import { HeaderList, type HttpResponse, Runtime } from "@gw/core";
import type { Concurrency } from "../environ.ts";
import { HeadReader } from "../head.ts";
import type { WsgiApp } from "../types.ts";
import type { ChannelEnd, RecordParts } from "./channel.ts";
import { placeOf, STATE, TO_APP } from "./protocol.ts";
import type { RingRecord } from "./ring.ts";
import { ServedRequest, type ServingThread } from "./served-request.ts";

/** What a thread works with. */
export interface AppThreadOptions {
  readonly channel: ChannelEnd;
  readonly state: SharedArrayBuffer;
  readonly app: WsgiApp;
  readonly concurrency: Concurrency;
  /** Runs when no request follows. */
  readonly onStop: () => void;
}

/** After this long the event loop has a turn: timers of the app run. */
const TURN_MS = 10;
/** Time that a thread without work blocks before it goes to its event loop: waking it is cheaper then. */
const LINGER_MS = 1;
/** Handlers this short may keep an answer from being announced, but not for longer than that. */
const SHORT_US = 150;
const RING_MS = 0.3;
/** One slice of a wait for a client. */
const SLICE_MS = 60_000;

/** The requests of one thread. */
export class AppThread implements ServingThread {
  readonly app: WsgiApp;
  readonly concurrency: Concurrency;
  readonly heads: HeadReader = new HeadReader();
  readonly runtime: Runtime;
  readonly #channel: ChannelEnd;
  readonly #state: Int32Array;
  readonly #onStop: () => void;
  /** Not begun. */
  #waiting: RingRecord[] = [];
  /** Being begun: most are over then, and cost the map below no entry, whose old tables would keep them. */
  #begun: ServedRequest | null = null;
  /** Begun, not over. */
  readonly #open = new Map<number, ServedRequest>();
  /** Have something to send and may. */
  #ready: ServedRequest[] = [];
  #isAnswersTurn = false;
  /** When the first answer was sent that the gateway was not woken for; 0: there is none. */
  #dueSince = 0;

  constructor({ channel, state, app, concurrency, onStop }: AppThreadOptions, runtime: Runtime) {
    this.app = app;
    this.concurrency = concurrency;
    this.runtime = runtime;
    this.#channel = channel;
    this.#state = new Int32Array(state);
    this.#onStop = onStop;
  }

  /** Works until there is nothing to do, or the event loop must have a turn. Called at a bell. */
  run(): void {
    const until = performance.now() + TURN_MS;
    for (;;) {
      this.#receive();
      if (this.#step()) {
        this.#ringIfDue();
        if (performance.now() < until) continue;
        this.#ring();
        setImmediate(() => this.run());
        return;
      }
      this.#ring();
      if (this.#channel.waitSync(LINGER_MS)) continue;
      if (this.#channel.sleep()) return;
    }
  }

  /** Sends a record; blocks while there is no room for it, which the gateway makes as soon as it looks. */
  send(kind: number, parts: RecordParts): void {
    this.#channel.sendSync(kind, parts);
  }

  /**
   * Sends the end of an answer. While handlers are short and more wait, the gateway is woken once for several; it
   * looks by itself soon if one turns out to be long.
   */
  sendLast(kind: number, parts: RecordParts): void {
    if (!this.#channel.post(kind, parts)) return this.send(kind, parts);
    if (this.#dueSince === 0) this.#dueSince = performance.now();
  }

  #ringIfDue(): void {
    if (this.#dueSince === 0) return;
    const isShort = Atomics.load(this.#state, STATE.COST_US) < SHORT_US;
    if (!isShort || performance.now() - this.#dueSince > RING_MS) this.#ring();
  }

  #ring(): void {
    if (this.#dueSince === 0) return;
    this.#dueSince = 0;
    this.#channel.wake();
  }

  /** Blocks until something has arrived from the gateway; this is the client's time, not the app's. */
  waitForClient(): void {
    Atomics.store(this.#state, STATE.WAITING, 1);
    this.#channel.waitSync(SLICE_MS);
    Atomics.add(this.#state, STATE.STEPS, 1);
    Atomics.store(this.#state, STATE.WAITING, 0);
    this.#receive();
  }

  /** The request can go on: it has credit, or its client has left. */
  ready(request: ServedRequest): void {
    this.#ready.push(request);
  }

  #receive(): void {
    for (let record = this.#channel.receive(); record !== null; record = this.#channel.receive()) {
      if (record.kind === TO_APP.REQUEST) this.#waiting.push(record);
      else if (record.kind === TO_APP.STOP) this.#onStop();
      else this.#requestOf(record.id)?.take(record);
    }
  }

  #requestOf(id: number): ServedRequest | undefined {
    return this.#begun?.id === id ? this.#begun : this.#open.get(id);
  }

  /** One step of one request. @returns false if there was none to do */
  #step(): boolean {
    this.#isAnswersTurn = !this.#isAnswersTurn;
    if (this.#ready.length > 0 && (this.#isAnswersTurn || this.#waiting.length === 0)) {
      const request = this.#ready.shift() as ServedRequest;
      if (!request.isOver) this.#enter(request.id, () => request.walk());
      if (request.isOver) this.#open.delete(request.id);
      return true;
    }
    const record = this.#waiting.shift();
    if (record === undefined) return false;
    this.#begin(record);
    return true;
  }

  #begin(record: RingRecord): void {
    const place = STATE.PLACES + placeOf(record.id);
    // The gateway may have taken it back: another thread was free, or the client has left.
    if (Atomics.compareExchange(this.#state, place, record.id, 0) !== record.id) return;
    const request = new ServedRequest(record, this);
    this.#begun = request;
    const began = performance.now();
    this.#enter(record.id, () => request.begin());
    this.#countCost(performance.now() - began);
    this.#begun = null;
    if (!request.isOver) this.#open.set(record.id, request);
  }

  /** Runs code of the app, with a note of whose it is: the gateway looks there if it does not come back. */
  #enter(id: number, step: () => void): void {
    Atomics.add(this.#state, STATE.STEPS, 1);
    Atomics.store(this.#state, STATE.CURRENT, id);
    step();
    Atomics.store(this.#state, STATE.CURRENT, 0);
  }

  #countCost(ms: number): void {
    const before = Atomics.load(this.#state, STATE.COST_US);
    const now = Math.min(1_000_000, Math.round(ms * 1_000));
    // Dear ones count at once, cheap ones slowly: a handler that is dear one time in ten is dear.
    Atomics.store(this.#state, STATE.COST_US, now > before ? now : before + Math.floor((now - before) / 8));
  }
}

/** A runtime for exchanges that nothing is dispatched in: a thread has one app and no gateway. */
export function threadRuntime(context: Runtime["context"]): Runtime {
  const handle = (): HttpResponse => ({ kind: "response", status: 404, headers: HeaderList.empty, body: null });
  return new Runtime(handle, { context });
}
