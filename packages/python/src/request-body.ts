// The body of a request on its way to a worker: read when the app asks for it, a window ahead at most (R-W7).
import { hasExclusiveChunks, type RequestBody } from "@gw/core";
import { countPassing, giveBack } from "@gw/core/node";
import { RAW_FROM_BYTES } from "./codec/frames.ts";
import type { Link } from "./link.ts";

/** Longest piece of a body that is there already, bytes. */
const PIECE_BYTES = 65_536;

const nothing: Uint8Array = new Uint8Array(0);

/** Reads a short body of known length before its request is sent, so that both go as one frame. */
export function isShort({ length }: RequestBody): boolean {
  return length !== null && length <= RAW_FROM_BYTES;
}

/** Reads a body to its end. @throws what reading it throws */
export async function readShort(body: RequestBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}

/** Where a body goes. */
export interface FeedTarget {
  readonly link: Link;
  readonly id: number;
  /** Reading it has failed: too large, cut off. */
  failed(error: unknown): void;
  /** Something was sent: the worker has work again. */
  moved(): void;
}

/** Sends one body as the app gives credit for it. */
export class BodyFeed {
  readonly #body: RequestBody;
  readonly #target: FeedTarget;
  #iterator: AsyncIterator<Uint8Array> | null = null;
  readonly #isExclusive: boolean;
  #held: Uint8Array = nothing;
  #credit = 0;
  #isPumping = false;
  #isOver = false;
  /** Whether it is the client we wait for, and not the app. */
  isWaiting = false;

  constructor(body: RequestBody, target: FeedTarget) {
    this.#body = body;
    this.#isExclusive = hasExclusiveChunks(body);
    this.#target = target;
  }

  /** The app wants this many bytes more. */
  credit(bytes: number): void {
    this.#credit += bytes;
    if (!this.#isPumping && !this.#isOver) void this.#pump();
  }

  /** Nobody wants the rest: the carrier drains it or closes (R-H8). */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#iterator?.return?.()?.catch(() => {});
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#credit > 0 && !this.#isOver) {
        if (this.#held.length === 0 && !(await this.#read())) return this.#finish();
        this.#sendPiece();
      }
    } catch (error) {
      this.#isOver = true;
      this.#target.failed(error);
    } finally {
      this.#isPumping = false;
    }
  }

  async #read(): Promise<boolean> {
    this.#iterator ??= this.#body[Symbol.asyncIterator]();
    this.isWaiting = true;
    const step = await this.#iterator.next();
    this.isWaiting = false;
    this.#target.moved();
    if (step.done) return false;
    this.#held = step.value;
    if (!this.#isExclusive) countPassing(step.value.length);
    return true;
  }

  #sendPiece(): void {
    if (this.#isOver || this.#held.length === 0) return;
    const piece = this.#held.subarray(0, Math.min(PIECE_BYTES, this.#credit));
    this.#held = this.#held.subarray(piece.length);
    this.#credit -= piece.length;
    this.#target.link.body(this.#target.id, piece, true, this.#isExclusive ? () => giveBack(piece) : undefined);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#target.link.body(this.#target.id, nothing, false);
  }
}
