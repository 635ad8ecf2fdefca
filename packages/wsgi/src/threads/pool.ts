// Who runs a request: the thread that costs least, or the queue.
import {
  type AppContext,
  type GatewayError,
  type HttpRequest,
  type HttpResponse,
  isGatewayError,
  type Logger,
  type Status,
  silentLogger,
} from "@gw/core";
import { CallQueue } from "./call-queue.ts";
import { Crew } from "./crew.ts";
import { appDown, threadDied, threadHangs, threadsBusy } from "./errors.ts";
import type { AppFile, ThreadSettings } from "./options.ts";
import { type CallRecord, ThreadCall } from "./thread-call.ts";
import type { WorkerThread } from "./worker-thread.ts";

/** A request that waits behind another for this long may go to a thread that is free, milliseconds. */
const RESCUE_MS = 5;

/** The threads and the queue behind an app's `start`, `stop`, `reload` and `status`. */
export class ThreadPool {
  readonly #file: AppFile;
  readonly #name: string;
  readonly #settings: ThreadSettings;
  readonly #waiting = new CallQueue();
  #log: Logger = silentLogger;
  #crew: Crew | null = null;
  #isStopping = false;
  #clock: NodeJS.Timeout | null = null;
  #rescue: NodeJS.Timeout | null = null;
  #onFree: () => void = () => {};

  constructor(file: AppFile, settings: ThreadSettings) {
    this.#file = file;
    this.#name = settings.name ?? file.text;
    this.#settings = settings;
  }

  /**
   * Starts the threads. Does not wait for them, unless the app is required: early requests wait.
   *
   * @throws what loading a required app throws
   */
  async start({ log, hasSiblings = false, runsOnce = false, moduleLoader }: AppContext): Promise<void> {
    const settings = this.#settings;
    this.#log = log.child({ app: this.#name });
    this.#isStopping = false;
    const multiprocess = settings.multiprocess ?? hasSiblings;
    const concurrency = { multithread: true, multiprocess, runOnce: runsOnce };
    const crew = new Crew(
      {
        file: this.#file,
        settings,
        loader: settings.loader ?? moduleLoader ?? null,
        name: this.#name,
        concurrency,
        log: this.#log,
      },
      {
        free: () => this.#serveWaiting(),
        lost: (begun, waiting, how) => this.#lost(begun, waiting, how),
        down: () => this.#refuseAll(this.#down()),
      },
    );
    this.#crew = crew;
    this.#startClock();
    const started = crew.start();
    if (!settings.required) return void started.catch(() => {});
    try {
      await started;
    } catch (error) {
      await this.stop(AbortSignal.abort());
      throw isGatewayError(error) ? error : appDown(this.#name, String(error), error);
    }
  }

  /** Ends them when they have finished what is under way, or at the deadline. */
  async stop(deadline: AbortSignal = AbortSignal.timeout(this.#settings.stopTimeoutMs)): Promise<void> {
    this.#isStopping = true;
    await this.#idle(deadline);
    this.#refuseAll(appDown(this.#name, "it is stopped"));
    await this.#crew?.stop({ isUrgent: deadline.aborted });
    if (this.#clock !== null) clearInterval(this.#clock);
    if (this.#rescue !== null) clearTimeout(this.#rescue);
  }

  /**
   * Replaces every thread by one that has loaded the app anew; no request is dropped.
   *
   * @throws what loading the app throws; the old threads stay
   */
  async reload(): Promise<void> {
    await this.#crew?.reload();
  }

  /** Answers a request. */
  answer(request: HttpRequest, record: CallRecord): Promise<HttpResponse> {
    if (this.#crew === null || this.#isStopping)
      return Promise.reject(appDown(this.#name, this.#crew === null ? "it was not started" : "it is stopped"));
    const call = new ThreadCall(request, record, { left: (one) => this.#waiting.delete(one) });
    if (request.signal.aborted) call.leave();
    else if (this.#waiting.size > 0 || !this.#give(call)) this.#wait(call);
    return call.answer;
  }

  /** How the threads are. */
  status(): Status {
    const threads = [...this.#threads];
    return {
      name: this.#name,
      state: this.#crew?.state ?? "starting",
      error: firstLine(this.#crew?.error),
      facts: {
        threads: threads.length,
        active: threads.reduce((sum, { load }) => sum + load, 0),
        queued: this.#waiting.size,
      },
    };
  }

  get #threads(): ReadonlySet<WorkerThread> {
    return this.#crew?.threads ?? NONE;
  }

  #wait(call: ThreadCall): void {
    const { maxQueued } = this.#settings;
    if (this.#crew?.state === "failed") return call.fail(this.#down());
    if (this.#waiting.size >= maxQueued) return call.fail(threadsBusy(`${maxQueued} requests wait already`));
    this.#waiting.add(call);
    call.waits();
  }

  #down(): GatewayError {
    return appDown(this.#name, firstLine(this.#crew?.error) ?? "it is not running", this.#crew?.error);
  }

  #refuse(call: ThreadCall, error: GatewayError): void {
    this.#waiting.delete(call);
    call.fail(error);
  }

  #refuseAll(error: GatewayError): void {
    for (const call of [...this.#waiting]) this.#refuse(call, error);
  }

  #give(call: ThreadCall): boolean {
    const thread = this.#pick();
    if (thread === null || !thread.give(call)) return false;
    if (thread.busy > 1) this.#rescueSoon();
    const { maxRequests } = this.#settings;
    if (maxRequests > 0 && thread.served >= maxRequests && !thread.isRetiring) this.#crew?.recycle(thread);
    return true;
  }

  /**
   * Who gets the next request. Cheap ones follow each other in a thread that is awake, since waking another costs more
   * than they do; others go where the least is to do.
   */
  #pick(): WorkerThread | null {
    let awake: WorkerThread | null = null;
    let idlest: WorkerThread | null = null;
    for (const thread of this.#threads) {
      const { busy, streams } = thread;
      if (thread.isRetiring || busy >= thread.depth || streams >= this.#settings.maxStreams) continue;
      if (busy > 0 && (awake === null || busy > awake.busy)) awake = thread;
      if (idlest === null || busy < idlest.busy || (busy === idlest.busy && streams < idlest.streams)) idlest = thread;
    }
    return awake ?? idlest;
  }

  #serveWaiting(): void {
    for (let call = this.#waiting.first; call !== null && this.#give(call); call = this.#waiting.first) {
      this.#waiting.delete(call);
    }
    this.#onFree();
  }

  /**
   * What waits in a thread behind a request that turns out to be long goes to one that is free; and what the thread
   * has answered before that is read, though it did not ring.
   */
  #rescueSoon(): void {
    if (this.#rescue !== null) return;
    this.#rescue = setTimeout(() => {
      this.#rescue = null;
      for (const thread of this.#threads) thread.look();
      const since = performance.now() - RESCUE_MS;
      for (const thread of this.#threads) for (const call of thread.waitingSince(since)) this.#move(call, thread);
      if ([...this.#threads].some(({ busy }) => busy > 1)) this.#rescueSoon();
    }, RESCUE_MS);
  }

  #move(call: ThreadCall, thread: WorkerThread): void {
    const free = [...this.#threads].find(({ busy, isRetiring }) => busy === 0 && !isRetiring);
    if (free !== undefined && thread.takeBack(call) && !free.give(call)) this.#waiting.add(call);
  }

  #startClock(): void {
    const { timeoutMs, queueTimeoutMs, startTimeoutMs } = this.#settings;
    const shortest = Math.min(timeoutMs === 0 ? 5_000 : timeoutMs, queueTimeoutMs, startTimeoutMs);
    this.#clock = setInterval(() => this.#tick(performance.now()), Math.min(1_000, Math.max(10, shortest / 5)));
    this.#clock.unref();
  }

  #tick(now: number): void {
    const { timeoutMs, queueTimeoutMs } = this.#settings;
    const late = [...this.#waiting].filter(({ queuedAt }) => now - queuedAt > queueTimeoutMs);
    for (const thread of this.#threads)
      late.push(...thread.waitingSince(now - queueTimeoutMs).filter((call) => thread.takeBack(call)));
    for (const call of late) this.#refuse(call, threadsBusy(`none was free for ${queueTimeoutMs} ms`));
    this.#crew?.expire(now);
    if (timeoutMs === 0) return;
    for (const thread of this.#threads) {
      const call = thread.hungFor(timeoutMs, now);
      if (call !== null) this.#end(thread, call);
    }
  }

  /** A step of the app does not end: its request is answered, the thread is ended and replaced. */
  #end(thread: WorkerThread, call: ThreadCall): void {
    const { timeoutMs } = this.#settings;
    const { method, path } = call.request;
    this.#log.error({ timeoutMs, method, path }, "the app hangs: its thread is ended and replaced");
    call.fail(threadHangs(timeoutMs));
    this.#crew?.giveUp(thread);
  }

  /** What had not begun goes to another thread, before requests that came later. */
  #lost(begun: readonly ThreadCall[], waiting: readonly ThreadCall[], how: string): void {
    for (const call of begun) call.fail(threadDied(how));
    const later = [...this.#waiting];
    for (const call of later) this.#waiting.delete(call);
    for (const call of [...waiting, ...later]) this.#waiting.add(call);
    this.#serveWaiting();
  }

  /** Settles when nothing is under way, or at the deadline. */
  #idle(deadline: AbortSignal): Promise<void> {
    const isIdle = (): boolean => this.#waiting.size === 0 && [...this.#threads].every(({ load }) => load === 0);
    if (isIdle() || deadline.aborted) return Promise.resolve();
    return new Promise((done) => {
      deadline.addEventListener("abort", () => done(), { once: true });
      this.#onFree = () => {
        if (isIdle()) done();
      };
    });
  }
}

const NONE: ReadonlySet<WorkerThread> = new Set();

function firstLine(error: Error | null | undefined): string | null {
  return error?.message.split("\n", 1)[0] ?? null;
}
