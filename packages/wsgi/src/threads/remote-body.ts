// The body of a request in the thread that runs the app: reading it blocks until the client has sent more.
import { ByteQueue, GatewayError, type RequestBody } from "@gw/core";
import { readError } from "./error-record.ts";
import { PIECE_BYTES } from "./protocol.ts";

/** Bytes that are read ahead of the app. */
const AHEAD_BYTES = 2 * PIECE_BYTES;
const NOTHING: Uint8Array = new Uint8Array(0);

/** How the body reaches the other side. */
export interface RemoteBodyLink {
  /** Asks for bytes. */
  want(bytes: number): void;
  /** Blocks until something has arrived. */
  wait(): void;
  /** Whether the client has left. */
  isGone(): boolean;
}

/** A body that comes in records. */
export class RemoteBody implements RequestBody {
  readonly length: number | null;
  readonly replayable = false;
  readonly #link: RemoteBodyLink;
  readonly #held = new ByteQueue();
  /** Asked for, not yet here. */
  #wanted = 0;
  #isAtEnd = false;
  #error: Error | null = null;

  constructor(length: number | null, link: RemoteBodyLink) {
    this.length = length;
    this.#link = link;
  }

  /** Takes a piece from the other side. */
  push(bytes: Uint8Array): void {
    this.#wanted -= bytes.length;
    this.#held.push(bytes);
  }

  /** It has ended. */
  end(): void {
    this.#isAtEnd = true;
  }

  /** It could not be read. */
  fail(error: string): void {
    this.#error = readError(error);
  }

  readSync(maxBytes: number): Uint8Array {
    for (;;) {
      this.#ask();
      if (this.#held.length > 0) return this.#held.takeSome(Math.max(1, maxBytes));
      if (this.#error !== null) throw this.#error;
      if (this.#isAtEnd) return NOTHING;
      if (this.#link.isGone()) throw new GatewayError("GW_BODY_CUT", 400, "the client has gone");
      this.#link.wait();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let chunk = this.readSync(PIECE_BYTES); chunk.length > 0; chunk = this.readSync(PIECE_BYTES)) yield chunk;
  }

  #ask(): void {
    const ahead = this.#held.length + this.#wanted;
    if (this.#isAtEnd || this.#error !== null || ahead > AHEAD_BYTES / 2) return;
    this.#wanted += AHEAD_BYTES - ahead;
    this.#link.want(AHEAD_BYTES - ahead);
  }
}
