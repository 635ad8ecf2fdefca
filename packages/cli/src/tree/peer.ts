// Calls between a primary and a worker: one JSON object per line over a socket, in both directions.
import type { Duplex } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { GatewayError, isGatewayError } from "@gw/core";

/** What one side can be asked: a name, what it is given, what it gives back. Plain data both. */
export type Calls = Readonly<Record<string, (params: never) => unknown>>;

type Params<F> = F extends (params: infer P) => unknown ? P : never;
type Result<F> = F extends (params: never) => infer R ? Awaited<R> : never;

/** How one side answers what it is asked. */
export type Answers<Mine extends Calls> = {
  readonly [Name in keyof Mine]: (params: Params<Mine[Name]>) => Result<Mine[Name]> | Promise<Result<Mine[Name]>>;
};

interface WireError {
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

/** A line on the wire. Without an `id` nobody waits for a result. */
type Line =
  | { readonly call: string; readonly params: unknown; readonly id?: number }
  | { readonly result: unknown; readonly to: number }
  | { readonly error: WireError; readonly to: number };

/**
 * One end of the socket between a primary and a worker.
 *
 * `Mine` is what the other side may ask of us, `Theirs` what we may ask of it. Both ends run the same version, so
 * nothing is checked but that the call exists.
 */
export class Peer<Mine extends Calls, Theirs extends Calls> {
  readonly #socket: Duplex;
  readonly #answers: Answers<Mine>;
  readonly #waiting = new Map<number, { done(value: unknown): void; fail(error: Error): void }>();
  /** Settles when the other side is gone. */
  readonly closed: Promise<void>;
  #lastId = 0;
  #isClosed = false;

  constructor(socket: Duplex, answers: Answers<Mine>) {
    this.#socket = socket;
    this.#answers = answers;
    const decoder = new StringDecoder("utf8");
    let rest = "";
    socket.on("data", (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) this.#take(JSON.parse(line) as Line);
    });
    socket.on("error", () => {}); // its end says it too
    this.closed = new Promise((done) => {
      const end = (): void => {
        this.#end();
        done();
      };
      socket.once("end", end).once("close", end);
    });
  }

  /** Asks the other side. Rejects with what it threw, or `GW_PEER_GONE` when it is gone. */
  call<Name extends keyof Theirs & string>(name: Name, params: Params<Theirs[Name]>): Promise<Result<Theirs[Name]>> {
    if (this.#isClosed) return Promise.reject(gone());
    const id = ++this.#lastId;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done: done as (value: unknown) => void, fail });
      this.#send({ call: name, params, id });
    });
  }

  /** Tells the other side something; whatever comes of it. */
  tell<Name extends keyof Theirs & string>(name: Name, params: Params<Theirs[Name]>): void {
    if (!this.#isClosed) this.#send({ call: name, params });
  }

  #send(line: Line): void {
    this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  #take(line: Line): void {
    if ("call" in line) return void this.#answer(line);
    const waiting = this.#waiting.get(line.to);
    this.#waiting.delete(line.to);
    if ("result" in line) waiting?.done(line.result);
    else waiting?.fail(new GatewayError(line.error.code, line.error.status, line.error.message));
  }

  async #answer({ call, params, id }: Extract<Line, { call: string }>): Promise<void> {
    try {
      const answer = this.#answers[call as keyof Mine];
      if (answer === undefined) throw new Error(`no such call: ${call}`);
      const result = await answer(params as never);
      if (id !== undefined && !this.#isClosed) this.#send({ result: result ?? null, to: id });
    } catch (error) {
      if (id !== undefined && !this.#isClosed) this.#send({ error: wireError(error), to: id });
    }
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { fail } of this.#waiting.values()) fail(gone());
    this.#waiting.clear();
  }
}

function gone(): GatewayError {
  return new GatewayError("GW_PEER_GONE", 503, "the other process of the gateway is gone");
}

function wireError(error: unknown): WireError {
  if (isGatewayError(error)) return { code: error.code, status: error.status, message: error.message };
  return { code: "GW_PEER", status: 500, message: error instanceof Error ? error.message : String(error) };
}
