// Time limits of what answers a request: to its header, between two pieces of output, in all (R-C13, R-C19, R-F19).
//
// Only time in which we wait for the program or backend counts: while the client is slow
// to send its body or to take the answer, the clock stands still. Slow clients
// are the carrier's business (R-H6). The clock is monotonic (R-O12).

/** Time limits of a program or backend, milliseconds; `Infinity`: none. */
export interface DeadlineOptions {
  /** Until its header block is complete. @default 30_000 */
  headerTimeoutMs?: number;
  /** Between two pieces of output. @default 60_000 */
  idleTimeoutMs?: number;
  /** In all. @default 60_000 */
  timeoutMs?: number;
}

/** The limit that was passed, and its length. */
export interface Lateness {
  readonly limit: "header" | "idle" | "total";
  readonly limitMs: number;
}

/** Whose move it is: each reason to wait for the client stops the clock. */
export type ClientTurn = "input" | "output";

const TURN: Readonly<Record<ClientTurn, number>> = { input: 1, output: 2 };
const LONGEST_TIMER_MS = 2_147_483_647;

/** Watches one program. Costs one timer, however many pieces of output there are. */
export class Deadlines {
  readonly #limits: Required<DeadlineOptions>;
  readonly #onLate: (lateness: Lateness) => void;
  /** The turns that are the client's, as bits. */
  #clientTurns = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Waiting time at which the timer looks. */
  #armedAtMs = Number.POSITIVE_INFINITY;
  #isStopped = false;
  /** Waiting time before the clock last stood still, milliseconds. */
  #usedMs = 0;
  #runningSince: number | null;
  /** Waiting time at the last piece of output. */
  #lastOutputAtMs = 0;
  #phase: "header" | "idle" | "total" = "header";

  constructor(
    { headerTimeoutMs = 30_000, idleTimeoutMs = 60_000, timeoutMs = 60_000 }: DeadlineOptions,
    onLate: (lateness: Lateness) => void,
  ) {
    this.#limits = { headerTimeoutMs, idleTimeoutMs, timeoutMs };
    this.#onLate = onLate;
    this.#runningSince = performance.now();
    this.#arm();
  }

  /** Output has come. */
  output(): void {
    this.#lastOutputAtMs = this.#waitedMs();
  }

  /** The header block is complete: from now on the idle limit counts. */
  headerDone(): void {
    this.#phase = "idle";
    this.output();
    this.#sooner();
  }

  /** Output has ended: from now on only the limit in all counts. */
  outputDone(): void {
    this.#phase = "total";
    this.clientDone("output");
    if (this.#runningSince !== null) this.#sooner();
  }

  /** We wait for the client now. */
  waitForClient(turn: ClientTurn): void {
    if (this.#isStopped) return;
    this.#clientTurns |= TURN[turn];
    if (this.#runningSince === null) return;
    this.#usedMs = this.#waitedMs();
    this.#runningSince = null;
  }

  /** The client has made its move. */
  clientDone(turn: ClientTurn): void {
    if ((this.#clientTurns & TURN[turn]) === 0) return;
    this.#clientTurns &= ~TURN[turn];
    if (this.#clientTurns !== 0) return;
    this.#runningSince = performance.now();
    if (this.#timer === undefined) this.#arm();
  }

  /** Nothing is late any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#runningSince = null;
    this.#clientTurns = 0;
  }

  #waitedMs(): number {
    return this.#runningSince === null ? this.#usedMs : this.#usedMs + performance.now() - this.#runningSince;
  }

  /** A timer that looks too early arms itself again, so it is only set anew for a limit that comes before it. */
  #sooner(): void {
    if (!this.#isStopped && (this.#timer === undefined || this.#next().atMs < this.#armedAtMs)) this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { atMs } = this.#next();
    this.#armedAtMs = atMs;
    const leftMs = Math.max(0, Math.min(atMs - this.#waitedMs(), LONGEST_TIMER_MS));
    this.#timer = setTimeout(() => this.#check(), leftMs);
  }

  #check(): void {
    this.#timer = undefined;
    if (this.#runningSince === null) return; // armed again by clientDone
    const { atMs, ...lateness } = this.#next();
    if (this.#waitedMs() < atMs) {
      this.#arm();
      return;
    }
    this.stop();
    this.#onLate(lateness);
  }

  /** The limit that comes first. */
  #next(): Lateness & { atMs: number } {
    const { headerTimeoutMs, idleTimeoutMs, timeoutMs } = this.#limits;
    const total = { limit: "total", limitMs: timeoutMs, atMs: timeoutMs } as const;
    if (this.#phase === "total") return total;
    const first =
      this.#phase === "header"
        ? ({ limit: "header", limitMs: headerTimeoutMs, atMs: headerTimeoutMs } as const)
        : ({ limit: "idle", limitMs: idleTimeoutMs, atMs: this.#lastOutputAtMs + idleTimeoutMs } as const);
    return first.atMs <= total.atMs ? first : total;
  }
}
