// The threads of one app: started, kept, replaced, ended.
import type { BackendState, Logger } from "@gw/core";
import { BackOff } from "@gw/core/node";
import type { Concurrency } from "../environ.ts";
import type { AppFile, ThreadSettings } from "./options.ts";
import type { ThreadCall } from "./thread-call.ts";
import { type LostCalls, WorkerThread } from "./worker-thread.ts";

/** A thread that ends this soon after it was ready is started again after a pause, milliseconds. */
const HEALTHY_MS = 1_000;
/** Time for the app's own stop, milliseconds. */
const LAST_MS = 1_500;

/** What a crew is made of. */
export interface CrewOptions {
  readonly file: AppFile;
  readonly settings: ThreadSettings;
  /** Module that loads the app in a thread; `null`: `import()`. */
  readonly loader: string | null;
  readonly name: string;
  readonly concurrency: Concurrency;
  readonly log: Logger;
}

/** What the pool hears. */
export interface CrewEvents {
  /** A thread may have room. */
  free(): void;
  /** Requests that a thread had begun when it ended, and those it had not. */
  lost(begun: readonly ThreadCall[], waiting: readonly ThreadCall[], how: string): void;
  /** There is no thread, and the app cannot be loaded. */
  down(error: Error): void;
}

/** The threads. */
export class Crew {
  /** Those that have loaded the app. */
  readonly threads: Set<WorkerThread> = new Set();
  /** Threads that were loading at a reload: nobody waits for them. */
  readonly #replaced: WeakSet<WorkerThread> = new WeakSet();
  readonly #starting = new Map<WorkerThread, { resolve(thread: WorkerThread): void; reject(error: Error): void }>();
  readonly #options: CrewOptions;
  readonly #events: CrewEvents;
  readonly #backOff: BackOff;
  readonly #pauses = new Set<NodeJS.Timeout>();
  #isStopped = false;
  /** Why the app could not be loaded the last time; `null` once it could. */
  error: Error | null = null;

  constructor(options: CrewOptions, events: CrewEvents) {
    this.#options = options;
    this.#events = events;
    const [firstMs, longestMs] = options.settings.backOffMs;
    this.#backOff = new BackOff({ firstMs, longestMs, healthyMs: HEALTHY_MS });
  }

  /** For the status page. */
  get state(): BackendState {
    if (this.#isStopped) return "stopped";
    if (this.threads.size === 0) return this.error === null ? "starting" : "failed";
    return this.threads.size < this.#options.settings.threads ? "degraded" : "ready";
  }

  /** Starts all threads. Settles when the first has loaded the app, rejects if it could not. */
  async start(): Promise<void> {
    const first = this.#spawn();
    for (let more = 1; more < this.#options.settings.threads; more++) this.#spawn().catch(() => {});
    await first;
  }

  /** Ends all threads; the app may stop by itself first, unless nobody waits. */
  async stop({ isUrgent }: { isUrgent: boolean }): Promise<void> {
    this.#isStopped = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    const all = [...this.threads, ...this.#starting.keys()];
    await Promise.all(all.map((thread) => (isUrgent ? thread.kill() : thread.stop(LAST_MS))));
  }

  /** Replaces every thread by a new one. @throws what loading the app throws; the old ones stay */
  async reload(): Promise<void> {
    const loading = [...this.#starting.keys()]; // they may have read old files
    const before = [...this.threads, ...loading];
    const fresh: WorkerThread[] = [];
    try {
      for (let count = 0; count < this.#options.settings.threads; count++) fresh.push(await this.#spawn(true));
    } catch (error) {
      for (const thread of fresh) void this.#retire(thread);
      throw error;
    }
    for (const thread of loading) this.#replaced.add(thread);
    for (const thread of before) void this.#retire(thread);
  }

  /** Replaces a thread that has served enough. */
  recycle(thread: WorkerThread): void {
    thread.isRetiring = true;
    this.#options.log.debug({ served: thread.served }, "a thread is replaced");
    this.#spawn(true)
      .then(() => this.#retire(thread))
      .catch(() => {
        thread.isRetiring = false; // better an old one than none
      });
  }

  /** Ends a thread that does not come back; another takes its place. */
  giveUp(thread: WorkerThread): void {
    thread.isRetiring = true;
    void thread.kill();
  }

  /** Gives up threads that take too long to load. */
  expire(now: number): void {
    const { startTimeoutMs } = this.#options.settings;
    for (const thread of this.#starting.keys()) {
      if (now - thread.startedAt <= startTimeoutMs) continue;
      this.#failed(thread, new Error(`it did not load within ${startTimeoutMs} ms`));
    }
  }

  /** Lets a thread finish, then ends it. */
  async #retire(thread: WorkerThread): Promise<void> {
    thread.isRetiring = true;
    await thread.idle(this.#options.settings.stopTimeoutMs);
    await thread.stop(LAST_MS);
  }

  /** @param isExtra others serve meanwhile: if it fails, it is not tried again */
  #spawn(isExtra = false): Promise<WorkerThread> {
    const { file, settings, loader, name, concurrency, log } = this.#options;
    const { execArgv, resourceLimits } = settings;
    const place = { path: file.path, exportName: file.exportName, loader };
    const thread = new WorkerThread(
      { place, concurrency, execArgv, resourceLimits, name, log },
      {
        ready: (one) => this.#ready(one),
        failed: (one, error) => this.#failed(one, error, isExtra),
        free: () => this.#events.free(),
        ended: (one, lost) => this.#ended(one, lost, isExtra),
      },
    );
    return new Promise((resolve, reject) => this.#starting.set(thread, { resolve, reject }));
  }

  #ready(thread: WorkerThread): void {
    const starting = this.#starting.get(thread);
    this.#starting.delete(thread);
    this.threads.add(thread);
    this.error = null;
    this.#options.log.debug({ ms: Math.round(thread.readyAt - thread.startedAt) }, "a thread has loaded the app");
    starting?.resolve(thread);
    this.#events.free();
  }

  #failed(thread: WorkerThread, error: Error, isExtra = false): void {
    const starting = this.#starting.get(thread);
    if (starting === undefined) return;
    this.#starting.delete(thread);
    void thread.kill();
    const isWanted = !this.#isStopped && !this.#replaced.has(thread);
    if (isWanted) this.#options.log.error({ err: error }, "the app cannot be loaded");
    starting.reject(error);
    if (isExtra || !isWanted) return;
    this.error = error;
    if (this.threads.size === 0) this.#events.down(error);
    this.#spawnAfter(this.#backOff.next(0));
  }

  #spawnAfter(ms: number): void {
    if (ms === 0) return void this.#spawn().catch(() => {});
    const timer = setTimeout(() => {
      this.#pauses.delete(timer);
      this.#spawn().catch(() => {});
    }, ms);
    timer.unref();
    this.#pauses.add(timer);
  }

  #ended(thread: WorkerThread, { begun, waiting, how }: LostCalls, isExtra: boolean): void {
    this.#failed(thread, new Error(`its thread ${how} before it was loaded`), isExtra);
    const wasServing = this.threads.delete(thread);
    this.#events.lost(begun, waiting, how);
    const { log, settings } = this.#options;
    if (!wasServing || this.#isStopped) return;
    if (!thread.isRetiring) log.error({ lost: begun.length }, `a thread of the app ${how}: it is replaced`);
    const missing = settings.threads - this.threads.size - this.#starting.size - this.#pauses.size;
    if (missing > 0) this.#spawnAfter(thread.isRetiring ? 0 : this.#backOff.next(performance.now() - thread.readyAt));
  }
}
