// The life of one program: fed, read, watched, ended, reaped. Knows nothing of HTTP.
import type { Writable } from "node:stream";
import { type DeadlineOptions, Deadlines, type Logger } from "@gw/core";
import { CgiError } from "./errors.ts";
import { feedProgram } from "./feed-program.ts";
import type { ProgramExit, RunningProgram } from "./launcher.ts";

/** How a program is watched and ended. */
export interface ProgramRunOptions extends DeadlineOptions {
  /** From TERM to KILL, milliseconds. @default 5_000 */
  stopTimeoutMs?: number;
  /** Whether a client that leaves ends the program (R-C14). @default true */
  endOnDisconnect?: boolean;
  /** Whether a program that exits with another code than 0 has failed: its answer is then cut (R-C19). @default true */
  checkExitCode?: boolean;
}

/** What the run of a program needs to know. */
export interface ProgramRunInputs {
  readonly program: RunningProgram;
  /** What it reads; `null`: nothing. */
  readonly input: AsyncIterator<Uint8Array> | null;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** After the end of output: time for a program that closed it on its way out to exit. Then we ask whether it lives on. */
const EXIT_NEWS_MS = 250;

/** One running program. */
export class ProgramRun {
  readonly #program: RunningProgram;
  readonly #log: Logger;
  readonly #deadlines: Deadlines;
  readonly #stopTimeoutMs: number;
  readonly #checkExitCode: boolean;
  readonly #endOnDisconnect: boolean;
  readonly #signal: AbortSignal;
  readonly #clientLeft: () => void;
  #failure: unknown = null;
  #isDraining = false;
  #isReadToEnd = false;
  #isEnded = false;
  #wake: (() => void) | null = null;
  /** Settles when the program has ended and its output too. */
  readonly ended: Promise<void>;

  constructor({ program, input, signal, log }: ProgramRunInputs, options: ProgramRunOptions) {
    const { stopTimeoutMs = 5_000, checkExitCode = true, endOnDisconnect = true } = options;
    this.#program = program;
    this.#log = log;
    this.#stopTimeoutMs = stopTimeoutMs;
    this.#checkExitCode = checkExitCode;
    this.#endOnDisconnect = endOnDisconnect;
    this.#signal = signal;
    this.#clientLeft = () => this.letGo();
    this.#deadlines = new Deadlines(options, ({ limit, limitMs }) =>
      this.stop(new CgiError("GW_CGI_TIMEOUT", `the program was ended at its ${limit} limit of ${limitMs} ms`)),
    );
    this.ended = this.#watch();
    if (program.input !== null && input !== null) this.#feed(program.input, input);
    if (endOnDisconnect) signal.addEventListener("abort", this.#clientLeft);
    if (endOnDisconnect && signal.aborted) this.letGo();
  }

  /**
   * The next piece of output; `null` at its end.
   *
   * @throws CgiError `GW_CGI_ANSWER_CUT` if the program failed, `GW_CGI_TIMEOUT`; what `stop` was given.
   */
  async read(): Promise<Uint8Array | null> {
    const { output } = this.#program;
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const chunk = output.read() as Uint8Array | null;
      if (chunk !== null) {
        this.#deadlines.output();
        return chunk;
      }
      if (output.readableEnded || output.destroyed) return this.#atEnd();
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  /** The header block is complete; what follows is read at the client's pace. */
  headerDone(): void {
    this.#deadlines.headerDone();
  }

  /** We wait for the client, until `clientDone`. */
  waitForClient(): void {
    this.#deadlines.waitForClient("output");
  }

  clientDone(): void {
    this.#deadlines.clientDone("output");
  }

  /** Ends the program's group: TERM, then KILL. Readers get the reason; output that is still in the pipe is lost. */
  stop(reason: unknown): void {
    if (this.#isEnded || this.#failure !== null) return;
    this.#failure = reason;
    if (this.#isReadToEnd) this.#log.warn({ err: reason }, "the program went on after its answer and was ended");
    this.#deadlines.stop();
    this.#program.stop(this.#stopTimeoutMs);
    this.#program.input?.destroy();
    this.#program.output.destroy();
  }

  /** The client has left before the end of the answer: ends the program, or lets it run on if the mount says so. */
  letGo(): void {
    if (this.#endOnDisconnect) this.stop(new CgiError("GW_CGI_GONE", "the client left before the end of the answer"));
    else this.drain();
  }

  /** Nobody reads on: lets the program run to its end, within its limits, and drops its output. */
  drain(): void {
    if (this.#isDraining || this.#isEnded || this.#failure !== null) return;
    this.#isDraining = true;
    this.#signal.removeEventListener("abort", this.#clientLeft);
    this.clientDone();
    void (async () => {
      while ((await this.read()) !== null);
    })().catch((error: unknown) => this.#log.warn({ err: error }, "the program failed after its answer"));
  }

  #feed(writable: Writable, body: AsyncIterator<Uint8Array>): void {
    feedProgram(writable, body, this.#deadlines).catch((error: unknown) => this.stop(error));
    writable.once("close", () => {
      // Nobody takes the rest: neither is the client waited for, nor is it asked for more.
      this.#deadlines.clientDone("input");
      Promise.resolve(body.return?.()).catch(() => {});
    });
  }

  async #watch(): Promise<void> {
    const { output, exited } = this.#program;
    const wake = (): void => {
      const waiting = this.#wake;
      this.#wake = null;
      waiting?.();
    };
    output.on("readable", wake).on("end", wake).on("close", wake);
    // A reset is an end: whether the answer is whole is decided by its length and the exit.
    output.on("error", wake);
    const closed = new Promise<void>((done) => (output.closed ? done() : output.once("close", done)));
    this.#end((await Promise.all([exited, closed]))[0]);
  }

  /** Says whether output that has ended is whole. */
  async #atEnd(): Promise<null> {
    this.#deadlines.outputDone();
    this.#signal.removeEventListener("abort", this.#clientLeft);
    const exit = (await within(this.#program.exited, EXIT_NEWS_MS)) ?? (await this.#exitUnlessItLives());
    this.#isReadToEnd = true;
    if (this.#failure !== null) throw this.#failure;
    if (exit?.error !== undefined) throw exit.error;
    if (exit === null || !this.#isFailure(exit)) return null;
    throw new CgiError("GW_CGI_ANSWER_CUT", `the program ended with ${exitText(exit)}`);
  }

  /** How it ended, however late the news are; `null` if it is known to run on (R-C18). */
  async #exitUnlessItLives(): Promise<ProgramExit | null> {
    const { exited, livesOn } = this.#program;
    if (livesOn === undefined) return null;
    return Promise.race([exited, livesOn.call(this.#program).then(() => null)]);
  }

  #isFailure({ code, signal }: ProgramExit): boolean {
    return signal !== null || (this.#checkExitCode && code !== 0);
  }

  #end(exit: ProgramExit): void {
    this.#isEnded = true;
    this.#deadlines.stop();
    this.#signal.removeEventListener("abort", this.#clientLeft);
    this.#program.input?.destroy();
    if (this.#failure === null && exit.error === undefined && this.#isFailure(exit))
      this.#log.warn(`the program ended with ${exitText(exit)}`);
  }
}

function exitText({ code, signal }: ProgramExit): string {
  if (signal !== null) return `signal ${signal}`;
  return code === null ? "an exit that nobody saw" : `exit code ${code}`;
}

async function within<T>(promise: Promise<T>, timeMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((done) => {
    timer = setTimeout(done, timeMs, null);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
