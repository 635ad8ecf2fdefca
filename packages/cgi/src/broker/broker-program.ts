// One program that a broker started, as its gateway sees it.
import type { Socket } from "node:net";
import { LineLog } from "@gw/core/node";
import { startError } from "../launch-error.ts";
import type { LaunchSpec, ProgramExit, RunningProgram } from "../launcher.ts";
import { unknownExit } from "./protocol.ts";

/** What a program needs of its broker. */
export interface BrokerLink {
  /** Sends a line on the control channel. */
  tell(line: string): void;
  /** Forgets the program: nothing will be said of it any more. */
  forget(id: number): void;
}

/** Inputs of BrokerProgram. */
export interface BrokerProgramInputs {
  readonly id: number;
  readonly spec: LaunchSpec;
  readonly output: Socket;
  readonly input: Socket | null;
}

const SIGTERM = 15;
const SIGKILL = 9;

/** After a broker's death: time from the end of output to the news of the exit, before that counts as lost. Shorter than a run waits for it. */
const LOST_MS = 150;

/** A program behind a broker. */
export class BrokerProgram implements RunningProgram {
  readonly input: Socket | null;
  readonly output: Socket;
  readonly exited: Promise<ProgramExit>;
  readonly #id: number;
  readonly #spec: LaunchSpec;
  readonly #link: BrokerLink;
  #settle: (exit: ProgramExit) => void = () => {};
  #pid = 0;
  #errors: LineLog | null = null;
  #kill: NodeJS.Timeout | null = null;
  #isStopping = false;
  #isKilled = false;
  #isEnded = false;
  #isOrphan = false;
  #hasErrors = false;
  #hasGroup = true;

  constructor({ id, spec, output, input }: BrokerProgramInputs, link: BrokerLink) {
    this.#id = id;
    this.#spec = spec;
    this.#link = link;
    this.input = input;
    this.output = output;
    this.exited = new Promise((settle) => {
      this.#settle = settle;
    });
    // Both ends may be closed by the program at any time (R-C15).
    // Nothing comes out of its input: reading is how we learn that it was closed.
    input
      ?.on("error", () => {})
      .on("end", () => input.destroy())
      .resume();
    output.on("error", () => {});
    output.on("end", () => output.destroy());
    output.on("close", () => this.#outputClosed());
  }

  stop(graceMs: number): void {
    if (this.#isStopping || (this.#isEnded && !this.#hasGroup)) return;
    this.#isStopping = true;
    this.#signal(SIGTERM);
    this.#kill = setTimeout(() => {
      this.#signal(SIGKILL);
      this.#isKilled = true;
      this.#letGo();
    }, graceMs);
  }

  /** The process id, from brokers that tell it. */
  started(pid: number): void {
    this.#pid = pid;
  }

  /** It could not be started. */
  failed(reason: string): void {
    const [program] = this.#spec.command;
    this.#end({ ...unknownExit, error: startError(program, reason) }, { hasErrors: false, hasGroup: false });
    this.output.destroy();
    this.input?.destroy();
  }

  /** A piece of its standard error. */
  errors(bytes: Uint8Array): void {
    this.#errors ??= lineLog(this.#spec);
    this.#errors.feed(bytes);
  }

  /** The last piece of its standard error has come. */
  errorsClosed(): void {
    this.#hasErrors = false;
    this.#errors?.end();
    this.#letGo();
  }

  /** It has ended; others of its group may live. */
  ended(exit: ProgramExit, left: { hasErrors: boolean; hasGroup: boolean }): void {
    this.#end(exit, left);
  }

  /** Its broker has died. The program goes on; whether we hear of its end is uncertain. */
  orphaned(): void {
    if (this.#isEnded || this.#isOrphan) return;
    this.#isOrphan = true;
    if (this.output.closed) this.#outputClosed();
  }

  #end(exit: ProgramExit, { hasErrors, hasGroup }: { hasErrors: boolean; hasGroup: boolean }): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#hasErrors = hasErrors;
    this.#hasGroup = hasGroup;
    if (!hasErrors) this.#errors?.end();
    if (!hasGroup && this.#kill !== null) clearTimeout(this.#kill);
    this.#settle(exit);
    this.#letGo();
  }

  #outputClosed(): void {
    if (this.#isOrphan && !this.#isEnded) {
      setTimeout(() => this.#end(unknownExit, { hasErrors: false, hasGroup: false }), LOST_MS);
    }
    this.#letGo();
  }

  /** Nobody is left, or who is left may live on (R-C18): the broker may forget the group. */
  #letGo(): void {
    if (!this.#isEnded || this.#hasErrors || !this.output.closed) return;
    const mayLive = this.#hasGroup && !this.#isKilled;
    if (mayLive && this.#isStopping) return; // the timer has still to end it
    if (mayLive) this.#link.tell(`D ${this.#id}\n`);
    this.#link.forget(this.#id);
  }

  #signal(number: number): void {
    this.#link.tell(`K ${this.#id} ${number}\n`);
    // Its broker may be one that lost sight of it.
    if (!this.#isOrphan || this.#pid === 0) return;
    try {
      process.kill(-this.#pid, number);
    } catch {
      // it ended just now
    }
  }
}

function lineLog({ log }: LaunchSpec): LineLog {
  return new LineLog({
    write: (line) => log.warn({ stream: "stderr" }, line),
    dropped: (dropped) => log.warn({ stream: "stderr", dropped }, "output of a program was dropped: too many lines"),
  });
}
