// One request to a backend over one connection: input up, output down, both at the pace of who reads.
import { type DeadlineOptions, Deadlines, type Exchange, isGatewayError, type MaybePromise } from "@gw/core";
import { giveBack, LineLog } from "@gw/core/node";
import { type ProtocolStatus, RecordType } from "../codec/constants.ts";
import { recordHeader, streamRecords } from "../codec/record.ts";
import { InputQueue, type SpillOptions } from "../input-queue.ts";
import type { BackendConnection, CallSink } from "./backend-connection.ts";
import { FastcgiError } from "./errors.ts";
import { type RequestOpening, requestRecords } from "./request-records.ts";

/** What is asked. */
export interface CallInputs {
  readonly connection: BackendConnection;
  readonly variables: Readonly<Record<string, string>>;
  /** What it reads; `null`: nothing. */
  readonly input: AsyncIterator<Uint8Array> | null;
  /** Whether nobody else has the pieces of `input`: their memory can be given back. */
  readonly isExclusive: boolean;
  readonly keepConnection: boolean;
  readonly signal: AbortSignal;
  /** Its log is made on first use, so it is asked for only when there is something to say. */
  readonly exchange: Pick<Exchange, "log">;
  /** Where output waits that holds up the other requests of its connection. */
  readonly spill: SpillOptions;
  /** The exchange is over: the connection can be used again, or is closed. `error`: what ended it. Called once. */
  readonly done: (isClean: boolean, error: unknown) => void;
}

/** One exchange with a backend. */
export class Call implements CallSink {
  readonly #inputs: CallInputs;
  readonly #requestId: number;
  readonly #deadlines: Deadlines;
  readonly #output: InputQueue;
  readonly #clientLeft: () => void;
  #stderr: LineLog | null = null;
  #isInputOpen: boolean;
  #isOver = false;
  #isDraining = false;
  /** Whether a byte of an answer has come. */
  hasAnswered = false;
  /** Whether the connection broke, by no doing of ours. */
  isLost = false;
  /** Whether the backend did not begin it: its connection had another request (FCGI_CANT_MPX_CONN). */
  wasRefused = false;

  /** @throws FastcgiError `GW_FCGI_TOO_LARGE` */
  constructor(inputs: CallInputs, limits: DeadlineOptions) {
    const { connection, variables, input, keepConnection, signal } = inputs;
    this.#inputs = inputs;
    this.#isInputOpen = input !== null;
    this.#output = new InputQueue(() => this.#flow());
    this.#requestId = connection.begin(this);
    connection.writeText(this.#head(variables, { keepConnection, hasInput: input !== null }));
    this.#deadlines = new Deadlines(
      { headerTimeoutMs: 60_000, idleTimeoutMs: 60_000, timeoutMs: Number.POSITIVE_INFINITY, ...limits },
      ({ limit, limitMs }) =>
        this.cancel(
          new FastcgiError("GW_FCGI_TIMEOUT", `the backend did not answer within its ${limit} limit of ${limitMs} ms`),
        ),
    );
    this.#clientLeft = () => this.cancel(clientGone());
    if (signal.aborted) this.#clientLeft();
    else signal.addEventListener("abort", this.#clientLeft);
    if (input !== null) void this.#feed(input);
  }

  #head(variables: CallInputs["variables"], opening: RequestOpening): string {
    try {
      return requestRecords(this.#requestId, variables, opening);
    } catch (error) {
      this.#inputs.connection.withdraw(this.#requestId);
      throw error;
    }
  }

  /** Whether FCGI_END_REQUEST has come, and all output is in memory. */
  get isWhole(): boolean {
    return this.#isOver && !this.#output.isSpilled;
  }

  /**
   * The next piece of output; `null` at its end. Waiting for it counts as waiting for the backend.
   *
   * @throws what ended the call, at once or later
   */
  read(): MaybePromise<Uint8Array | null> {
    this.#deadlines.clientDone("output");
    return this.#output.read();
  }

  /** The reader works on what it got: that time is not the backend's. */
  waitForClient(): void {
    if (!this.#isOver && !this.#isDraining) this.#deadlines.waitForClient("output");
  }

  /** The header block is complete. */
  headerDone(): void {
    this.#deadlines.headerDone();
  }

  /** Nobody reads on: the backend may finish, within its limits. */
  drain(): void {
    this.#isDraining = true;
    this.#deadlines.clientDone("output");
    void this.#output.return();
  }

  /** Ends the exchange: closes the connection, which is what every backend understands (R-F21). */
  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#output.fail(reason);
    this.#inputs.connection.abandon(this.#requestId);
    this.#finish(false, reason);
  }

  /** Nobody reads on: ends the exchange if it goes on, and drops what waits to be read, which may be in a file. */
  leave(reason: unknown): void {
    this.cancel(reason);
    void this.#output.return();
  }

  output(bytes: Uint8Array): void {
    this.hasAnswered = true;
    this.#deadlines.output();
    this.#output.push(bytes);
  }

  get unreadBytes(): number {
    return this.#output.unreadBytes;
  }

  spill(): void {
    this.#output.spill(this.#inputs.spill);
  }

  error(bytes: Uint8Array): void {
    const { log } = this.#inputs.exchange;
    this.#stderr ??= new LineLog({
      write: (line) => log.warn(line),
      dropped: (lines) => log.warn(`${lines} lines of the backend's errors were left out`),
    });
    this.#stderr.feed(bytes);
  }

  ended(protocolStatus: ProtocolStatus | null): void {
    if (protocolStatus === "complete") this.#output.end();
    else {
      this.wasRefused = protocolStatus === "cannotMultiplex";
      this.#output.fail(refusal(protocolStatus));
    }
    // What is left of the input would be read as part of the next request.
    this.#finish(!this.#isInputOpen && protocolStatus === "complete");
  }

  lost(reason: unknown): void {
    this.isLost = isGatewayError(reason, "GW_FCGI_ANSWER_CUT");
    this.#output.fail(reason);
    this.#finish(false, reason);
  }

  #finish(isClean: boolean, error: unknown = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.stop();
    this.#stderr?.end();
    this.#inputs.signal.removeEventListener("abort", this.#clientLeft);
    if (this.#isInputOpen) this.#leaveInput();
    this.#inputs.done(isClean, error);
  }

  #leaveInput(): void {
    this.#isInputOpen = false;
    this.#deadlines.clientDone("input");
    Promise.resolve(this.#inputs.input?.return?.()).catch(() => {});
  }

  async #feed(input: AsyncIterator<Uint8Array>): Promise<void> {
    const { connection, isExclusive } = this.#inputs;
    try {
      while (!this.#isOver) {
        this.#deadlines.waitForClient("input");
        const next = await input.next();
        this.#deadlines.clientDone("input");
        if (this.#isOver) return;
        if (next.done) break;
        const piece = next.value;
        const records = streamRecords(RecordType.stdin, this.#requestId, piece);
        const written = connection.write(records, isExclusive ? () => giveBack(piece) : undefined);
        if (written !== undefined) await written;
      }
      if (this.#isOver) return;
      this.#isInputOpen = false;
      void connection.write([recordHeader(RecordType.stdin, this.#requestId, 0)]);
    } catch (error) {
      // The backend must not take half of a body for the whole.
      this.cancel(error);
    }
  }

  #flow(): void {
    if (this.#isOver) return;
    this.#inputs.connection.flow();
  }
}

/** The client left before the end of the answer. */
export function clientGone(): FastcgiError {
  return new FastcgiError("GW_FCGI_CLIENT_GONE", "the client left before the end of the answer");
}

function refusal(status: ProtocolStatus | null): FastcgiError {
  if (status === "overloaded" || status === "cannotMultiplex") {
    return new FastcgiError("GW_FCGI_OVERLOADED", "the backend takes no further request now", {
      headers: [["Retry-After", "1"]],
    });
  }
  return new FastcgiError("GW_FCGI_REFUSED", `the backend refused the request: ${status ?? "an unknown status"}`);
}
