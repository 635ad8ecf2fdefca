// The body of a request on its way to a thread: read as the app asks for it (R-W7).
import type { RequestBody } from "@gw/core";
import { PIECE_BYTES } from "./protocol.ts";

/** Where a body goes. */
export interface FeedTarget {
  piece(bytes: Uint8Array): void;
  ended(): void;
  /** Reading it has failed: too large, cut off. */
  failed(error: unknown): void;
}

/** Sends one body, at most as much as was asked for. */
export class BodyFeed {
  readonly #body: RequestBody;
  readonly #target: FeedTarget;
  #chunks: AsyncIterator<Uint8Array> | null = null;
  #held: Uint8Array = new Uint8Array(0);
  #wanted = 0;
  #isPumping = false;
  #isOver = false;

  constructor(body: RequestBody, target: FeedTarget) {
    this.#body = body;
    this.#target = target;
  }

  /** The app wants this many bytes more. */
  want(bytes: number): void {
    this.#wanted += bytes;
    if (!this.#isPumping && !this.#isOver) void this.#pump();
  }

  /** Nobody wants the rest: the carrier drains it or closes (R-H8). */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chunks?.return?.()?.catch(() => {});
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#wanted > 0 && !this.#isOver) {
        if (this.#held.length === 0) {
          this.#chunks ??= this.#body[Symbol.asyncIterator]();
          const step = await this.#chunks.next();
          if (this.#isOver) return;
          if (step.done) {
            this.#isOver = true;
            return this.#target.ended();
          }
          this.#held = step.value;
        }
        this.#sendPiece();
      }
    } catch (error) {
      if (!this.#isOver) this.#target.failed(error);
      this.#isOver = true;
    } finally {
      this.#isPumping = false;
    }
  }

  #sendPiece(): void {
    const bytes = this.#held.subarray(0, Math.min(PIECE_BYTES, this.#wanted));
    this.#held = this.#held.subarray(bytes.length);
    this.#wanted -= bytes.length;
    if (bytes.length > 0) this.#target.piece(bytes);
  }
}
