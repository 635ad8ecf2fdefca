// One worker process as the pool sees it: its link, what it says of itself, how it ends.
import type { GatewayError, Logger } from "@gw/core";
import type { AttachedProcess } from "@gw/core/node";
import { tooLate, workerLost } from "./errors.ts";
import { HttpCall } from "./http-call.ts";
import { Link } from "./link.ts";
import { SocketCall } from "./socket-call.ts";

/** What the pool hears of a worker. */
export interface WorkerEvents {
  /** Files of the app, for reload. */
  files(paths: readonly string[]): void;
  /** It may take another request. */
  free(): void;
  /** Whether its id is no process's (a thread), or the process is not ours alone: signals go through its owner. */
  readonly isGuest: boolean;
  /** Requests it is given at a time. */
  readonly capacity: number;
  /** Sockets it may have open. */
  readonly maxSockets: number;
  log: Logger;
}

/** Time for a sign of life after a request has passed its deadline, milliseconds. */
const PONG_MS = 1_000;
/** Before the end of the time to stop, sockets are closed, milliseconds. */
const LAST_MS = 1_000;

/** One worker. */
export class Worker {
  readonly pid: number;
  readonly link: Link;
  readonly #process: AttachedProcess;
  readonly #events: WorkerEvents;
  readonly #started: Promise<Readonly<Record<string, unknown>>>;
  #settle!: { ready(facts: Readonly<Record<string, unknown>>): void; failed(error: Error): void };
  #isLeaving = false;
  #onFree: (() => void) | null = null;
  #onPong: (() => void) | null = null;
  #isHung = false;
  #hasEnded = false;
  #capacity: number;
  /** When we began to know it, before it read any file of the app, milliseconds since 1970. */
  readonly startedAt: number = Date.now();
  /** Whether it is to be replaced. */
  isRetiring = false;
  /** Requests given to it so far. */
  served = 0;

  constructor(process: AttachedProcess, events: WorkerEvents) {
    this.pid = process.pid;
    this.#process = process;
    this.#events = events;
    this.#capacity = events.capacity;
    this.#started = new Promise((ready, failed) => {
      this.#settle = { ready, failed };
    });
    this.#started.catch(() => {});
    this.link = new Link(process.control, {
      ready: (facts) => this.#settle.ready(facts),
      failed: (stage, message) => this.#settle.failed(new Error(`${FAILED_AT[stage] ?? stage}: ${message}`)),
      files: (paths) => events.files(paths),
      pong: () => this.#onPong?.(),
      limit: (count) => this.#limit(count),
      broken: (error) => this.#broken(error),
      released: () => this.#released(),
    });
    void process.exited.then(({ code, signal }) => {
      this.#hasEnded = true;
      const error = workerLost(endedHow(code, signal));
      this.#settle.failed(error);
      this.link.end(error);
    });
  }

  /** Settles with what it says of itself when the app is loaded; rejects with why it is not. */
  get started(): Promise<Readonly<Record<string, unknown>>> {
    return this.#started;
  }

  /** Requests and sockets under way. */
  get load(): number {
    return this.link.size;
  }

  /** Whether it takes requests. */
  get isOpen(): boolean {
    return !this.#isLeaving && !this.#isHung;
  }

  /** Requests under way, and openings of sockets. */
  get requests(): number {
    return this.link.size - this.link.sockets;
  }

  /** Whether it takes another request now. */
  get hasRoom(): boolean {
    return this.isOpen && this.requests < this.#capacity;
  }

  /** Whether it may have another socket. */
  get hasSocketRoom(): boolean {
    return this.link.sockets < this.#events.maxSockets;
  }

  /** Whether something in it has passed its deadline. */
  get isHung(): boolean {
    return this.#isHung;
  }

  /** No new requests from now on. */
  close(): void {
    this.#isLeaving = true;
  }

  /** Lets it finish what is under way and end by itself. */
  async drain(stopTimeoutMs: number): Promise<void> {
    this.close();
    const leave = setTimeout(() => this.#closeSockets(), Math.max(0, stopTimeoutMs - LAST_MS));
    if (this.load > 0)
      await new Promise<void>((done) => {
        this.#onFree = done;
      });
    clearTimeout(leave);
    if (this.#isHung) return this.#events.isGuest ? this.kill() : undefined; // it would not hear it
    this.link.drain();
    await this.#process.exited;
  }

  /** Gives up what has waited too long. @returns whether something has */
  expire(timeoutMs: number): boolean {
    const now = performance.now();
    let isLate = false;
    for (const [, call] of [...this.link.streams]) {
      if (!(call instanceof HttpCall || call instanceof SocketCall) || call.overdueMs(now) <= timeoutMs) continue;
      isLate = true;
      call.abandon(tooLate());
    }
    return isLate;
  }

  /** Says whether its reader answers in time. */
  async answers(): Promise<boolean> {
    const pong = new Promise<boolean>((done) => {
      const timer = setTimeout(() => done(false), PONG_MS);
      this.#onPong = () => {
        clearTimeout(timer);
        done(true);
      };
    });
    this.link.ping();
    return pong;
  }

  /** It hangs: its stacks go to the log, and it takes no more requests. */
  giveUp(): void {
    this.#isHung = true;
    this.#kill("SIGUSR1");
  }

  /** Ends it at once. */
  kill(): void {
    this.#isHung = true;
    this.#kill("SIGKILL");
  }

  #broken(error: GatewayError): void {
    this.#events.log.error({ err: error, pid: this.pid }, "a Python worker is ended");
    this.#settle.failed(error);
    this.link.end(error);
    this.kill();
  }

  #kill(signal: NodeJS.Signals): void {
    if (this.#events.isGuest) return this.#process.signal(signal);
    if (this.#hasEnded) return; // the id may belong to somebody else by now
    try {
      process.kill(this.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  #closeSockets(): void {
    for (const [, call] of this.link.streams) if (call instanceof SocketCall) call.goAway();
  }

  #limit(count: number): void {
    this.#capacity = Math.min(count, this.#events.capacity);
    this.#events.free();
  }

  #released(): void {
    if (this.load === 0) this.#onFree?.();
    this.#events.free();
  }
}

function endedHow(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "closed the connection" : `exited with code ${code}`;
}

const FAILED_AT: Readonly<Record<string, string>> = {
  import: "the app could not be imported",
  factory: "the app's factory failed",
  lifespan: "the app's startup failed",
};
