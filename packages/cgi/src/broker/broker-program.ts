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
  /** Whether the broker will tell its process id. */
  readonly tellsStart: boolean;
}

const SIGTERM = 15;
const SIGKILL = 9;

/** A program behind a broker. */
export class BrokerProgram implements RunningProgram {
  readonly input: Socket | null;
  readonly output: Socket;
  readonly exited: Promise<ProgramExit>;
  /** Settles when its process id is known, or there is no need of one. */
  readonly isKnown: Promise<void>;
  #settleKnown: () => void = () => {};
  readonly #id: number;
  readonly #spec: LaunchSpec;
  readonly #link: BrokerLink;
  #settle: (exit: ProgramExit) => void = () => {};
  readonly #lives: Promise<void>;
  #settleLives: () => void = () => {};
  #pid = 0;
  #errors: LineLog | null = null;
  #kill: NodeJS.Timeout | null = null;
  #isStopping = false;
  #isKilled = false;
  #isEnded = false;
  #isOrphan = false;
  #isLost = false;
  #isAsked = false;
  #isUnknown: boolean;
  #hasErrors = false;
  #hasGroup = true;

  constructor({ id, spec, output, input, tellsStart }: BrokerProgramInputs, link: BrokerLink) {
    this.#id = id;
    this.#spec = spec;
    this.#link = link;
    this.input = input;
    this.output = output;
    this.exited = new Promise((settle) => {
      this.#settle = settle;
    });
    this.isKnown = new Promise((settle) => {
      this.#settleKnown = settle;
      if (!tellsStart) settle();
    });
    this.#isUnknown = tellsStart;
    this.#lives = new Promise((settle) => {
      this.#settleLives = settle;
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

  livesOn(): Promise<void> {
    this.#ask();
    return this.#lives;
  }

  /** The process id, from brokers that tell it. */
  started(pid: number): void {
    this.#pid = pid;
    this.#isUnknown = false;
    this.#settleKnown();
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
  ended(exit: ProgramExit, { hasErrors, hasGroup }: { hasErrors: boolean; hasGroup: boolean }): void {
    // The next broker does not know its group.
    const isThere = hasGroup || (this.#isOrphan && this.#pid !== 0 && kill(this.#pid, 0));
    this.#end(exit, { hasErrors, hasGroup: isThere });
  }

  /** It was found alive though its output has ended. */
  lives(): void {
    this.#settleLives();
  }

  /** Its broker has died and is started again. The program goes on; the next broker may not know it. */
  orphaned(): void {
    this.#isOrphan = true;
    if (this.#isUnknown) this.failed("the spawn broker ended");
  }

  /** There is a broker again, which may have missed what the one before was told. */
  brokerIsBack(): void {
    if (this.#isStopping) this.#signal(this.#isKilled ? SIGKILL : SIGTERM);
    if (this.#isAsked || this.output.closed) this.#ask();
  }

  /** Its broker is gone for good: it goes on, but nobody will tell of its end. */
  lost(): void {
    this.#isOrphan = true;
    this.#isLost = true;
    if (this.#isUnknown) this.failed("the spawn broker ended");
    if (this.output.closed) this.#outputClosed();
  }

  #ask(): void {
    if (this.#isEnded) return;
    this.#isAsked = true;
    this.#link.tell(`Q ${this.#id}\n`);
  }

  #end(exit: ProgramExit, { hasErrors, hasGroup }: { hasErrors: boolean; hasGroup: boolean }): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#hasErrors = hasErrors;
    this.#hasGroup = hasGroup;
    if (!hasErrors) this.#errors?.end();
    if (!hasGroup && this.#kill !== null) clearTimeout(this.#kill);
    this.#settle(exit);
    this.#settleKnown();
    this.#letGo();
  }

  #outputClosed(): void {
    if (this.#isLost) this.#end(unknownExit, { hasErrors: false, hasGroup: false });
    // Of one that its broker lost sight of nobody may tell unless asked.
    else if (this.#isOrphan) this.#ask();
    this.#letGo();
  }

  /** Nobody is left, or who is left may live on (R-C18): the broker may forget the group. */
  #letGo(): void {
    if (!this.#isEnded || this.#hasErrors || !this.output.closed) return;
    if (this.#hasGroup && this.#isStopping && !this.#isKilled) return; // the timer has still to end it
    if (this.#hasGroup) this.#link.tell(`D ${this.#id}\n`);
    this.#link.forget(this.#id);
  }

  #signal(number: number): void {
    this.#link.tell(`K ${this.#id} ${number}\n`);
    // Its broker may be one that lost sight of it.
    if (this.#isOrphan && this.#pid !== 0) kill(this.#pid, number);
  }
}

/** @returns whether somebody of the group is there */
function kill(group: number, signal: number): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

function lineLog({ log }: LaunchSpec): LineLog {
  return new LineLog({
    write: (line) => log.warn({ stream: "stderr" }, line),
    dropped: (dropped) => log.warn({ stream: "stderr", dropped }, "output of a program was dropped: too many lines"),
  });
}
