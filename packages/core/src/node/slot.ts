// One place of a backend: keeps exactly one process in it, and replaces it without a gap.
import type { GatewayError } from "../model/errors.ts";
import type { BackOff } from "./back-off.ts";
import { asBackendFailure, backendFailure, describeExit } from "./backend-failure.ts";
import type { Clock } from "./clock.ts";
import type { StopOptions, SupervisedProcess } from "./supervised-process.ts";

/** What a slot needs of its backend. */
export interface SlotOptions {
  /** Starts a process. May throw. */
  start: () => Promise<SupervisedProcess>;
  backOff: BackOff;
  clock: Clock;
  /** Told of each failure, with the pause that follows. */
  failed: (error: GatewayError, pauseMs: number) => void;
  /** Told when a process has ended because it wished to be replaced. */
  endedItself: (process: SupervisedProcess) => void;
  /** Told when a process is ready for service. */
  ready: (process: SupervisedProcess) => void;
  /** Told whenever the processes of the slot have changed. */
  changed: () => void;
}

/** Keeps one process alive: starts it, waits for its end, pauses, starts it again; until stopped. */
export class Slot {
  readonly #options: SlotOptions;
  readonly #processes: Set<SupervisedProcess> = new Set();
  readonly #running: Promise<void>;
  #current: SupervisedProcess | null = null;
  #replacing: Promise<void> | null = null;
  #stopped = false;
  #hasFailed = false;
  #hasFallen = false;
  #pause: AbortController | null = null;
  #attempts: { done(): void; fail(error: unknown): void }[] = [];

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The process that serves; `null` while there is none. */
  get current(): SupervisedProcess | null {
    return this.#current;
  }

  /** Every process of the slot: starting, serving and stopping ones. */
  get processes(): readonly SupervisedProcess[] {
    return [...this.#processes];
  }

  /** Whether the last attempt failed. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether its last process was ready before it failed. */
  get hasFallen(): boolean {
    return this.#hasFallen;
  }

  /** Ends a pause between attempts: what made the last one fail may be over. */
  wake(): void {
    this.#pause?.abort();
  }

  /**
   * Puts a new process in the place of the one that serves; with none there, tries at once.
   *
   * @throws GatewayError when the new one does not get ready; the old one stays.
   */
  replace({ drain = true }: StopOptions = {}): Promise<void> {
    this.#replacing ??= this.#replace(drain).finally(() => {
      this.#replacing = null;
    });
    return this.#replacing;
  }

  /** Ends all of its processes; settles when they are gone. */
  async stop(options: StopOptions = {}): Promise<void> {
    this.#stopped = true;
    this.wake();
    await Promise.all([...this.#processes].map((process) => process.stop(options)));
    await this.#running;
    await this.#replacing?.catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      let readyMs = 0;
      this.#hasFallen = false;
      let failure: GatewayError;
      try {
        this.#serveWith(await this.#bringUp());
        const ended = await this.#unplannedEnd();
        if (ended === null) return;
        const exit = await ended.exited;
        readyMs = ended.readyMs;
        this.#hasFallen = true;
        failure = backendFailure(describeExit(exit));
        await ended.stop(); // what it left behind
        if (exit.code === 0 && this.#mayFollowAtOnce(ended, readyMs)) continue;
      } catch (error) {
        failure = asBackendFailure(error);
      }
      if (this.#stopped) return;
      await this.#backOff(failure, readyMs);
    }
  }

  /** Many programs end themselves after so many requests: a wish to be replaced, no failure. */
  #mayFollowAtOnce(ended: SupervisedProcess, readyMs: number): boolean {
    const { backOff, endedItself } = this.#options;
    if (this.#stopped || !backOff.mayStartAtOnce(readyMs)) return false;
    endedItself(ended);
    return true;
  }

  /** A process that is ready. */
  async #bringUp(): Promise<SupervisedProcess> {
    const process = await this.#options.start();
    this.#processes.add(process);
    void process.exited.then(async () => {
      await process.stop();
      this.#processes.delete(process);
      this.#options.changed();
    });
    this.#options.changed();
    if (this.#stopped) void process.stop();
    try {
      await process.ready;
      return process;
    } catch (error) {
      await process.stop();
      throw error;
    }
  }

  #serveWith(process: SupervisedProcess): void {
    this.#current = process;
    this.#hasFailed = false;
    for (const { done } of this.#attempts.splice(0)) done();
    this.#options.ready(process);
  }

  /** The process that ended although nobody asked for it; `null` once we are stopped. */
  async #unplannedEnd(): Promise<SupervisedProcess | null> {
    for (;;) {
      const process = this.#current;
      if (process === null) return null;
      await process.exited;
      if (this.#stopped) return null;
      if (this.#current !== process) continue; // it was replaced
      this.#current = null;
      await this.#replacing?.catch(() => {}); // its successor may be on the way already
      if (this.#current === null) return process;
    }
  }

  async #replace(drain: boolean): Promise<void> {
    const old = this.#current;
    if (old === null) return this.#nextAttempt();
    const fresh = await this.#bringUp();
    if (this.#stopped) return fresh.stop();
    this.#serveWith(fresh); // first, so that there is no moment without
    await old.stop({ drain });
  }

  #nextAttempt(): Promise<void> {
    const attempt = new Promise<void>((done, fail) => this.#attempts.push({ done, fail }));
    this.wake();
    return attempt;
  }

  async #backOff(failure: GatewayError, readyMs: number): Promise<void> {
    const { backOff, clock, failed } = this.#options;
    const pauseMs = backOff.next(readyMs);
    this.#hasFailed = true;
    for (const { fail } of this.#attempts.splice(0)) fail(failure);
    this.#pause = new AbortController();
    failed(failure, pauseMs);
    if (pauseMs > 0) await clock.pause(pauseMs, this.#pause.signal);
    this.#pause = null;
  }
}
