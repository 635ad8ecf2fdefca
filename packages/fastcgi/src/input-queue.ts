// One stream of one request, filled by a connection that others share, read by an app or a client: in memory, or behind that in a file.
import { type BodyPace, BodyTimer, GatewayError, type MaybePromise, type SpoolStore } from "@gw/core";
import { ChunkQueue } from "./chunk-queue.ts";
import { Overflow } from "./overflow.ts";

/** How much of an input may wait in a file. */
export interface SpillOptions {
  readonly spool: SpoolStore;
  /** Bytes; beyond them the queue is full. */
  readonly maxSpoolBytes: number;
}

/** When a connection is looked at. */
export interface Moment {
  readonly nowMs: number;
  /** Whether we do not read the connection: then it is not the web server that an app waits for. */
  readonly isPaused: boolean;
}

/** Bytes that have come and were not read yet: FCGI_STDIN of a responder's request, FCGI_STDOUT of a backend's. */
export class InputQueue extends ChunkQueue {
  #receivedBytes = 0;
  #timer: BodyTimer | null = null;
  #overflow: Overflow | null = null;
  #maxSpoolBytes = 0;

  /** Bytes that take memory; without end if the file is full, too. */
  override get unreadBytes(): number {
    const overflow = this.#overflow;
    if (overflow === null) return super.unreadBytes;
    if (overflow.length >= this.#maxSpoolBytes) return Number.POSITIVE_INFINITY;
    return super.unreadBytes + overflow.pendingBytes;
  }

  /** Whether some of it is in a file. */
  get isSpilled(): boolean {
    return this.#overflow !== null;
  }

  /** From now on until the app has caught up, what is not read goes to a temporary file. */
  spill({ spool, maxSpoolBytes }: SpillOptions): void {
    if (this.#overflow !== null || super.unreadBytes === 0) return;
    this.#maxSpoolBytes = maxSpoolBytes;
    const overflow = new Overflow(spool, {
      written: () => this.onRead(),
      failed: (error) => this.fail(error),
    });
    for (const chunk of this.takeAll()) overflow.push(chunk);
    this.#overflow = overflow;
  }

  /** Fails what comes more slowly than that, from the first look on; it has to be looked at again and again. */
  checkPace(pace: BodyPace, { nowMs, isPaused }: Moment): void {
    if (!this.isOpen) return;
    this.#timer ??= new BodyTimer(nowMs, "GW_FCGI_BODY_SLOW");
    const arriving = { receivedBytes: this.#receivedBytes, isWaiting: this.isWaiting && !isPaused };
    const tooSlow = this.#timer.check(arriving, nowMs, pace);
    if (tooSlow !== null) this.fail(tooSlow);
  }

  override push(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.length;
    if (this.#overflow === null || !this.isOpen) super.push(chunk);
    else this.#overflow.push(chunk);
  }

  override read(): MaybePromise<Uint8Array | null> {
    return this.#overflow === null ? super.read() : this.#readSpilled(this.#overflow);
  }

  override return(): Promise<IteratorResult<Uint8Array>> {
    this.#overflow?.close();
    this.#overflow = null;
    return super.return();
  }

  async #readSpilled(overflow: Overflow): Promise<Uint8Array | null> {
    const chunk = await overflow.shift();
    if (overflow.length === 0 && this.#overflow === overflow) {
      overflow.close();
      this.#overflow = null;
    }
    if (chunk === null) return super.read();
    this.onRead();
    return chunk;
  }
}

/** The web server went away inside a request's input. */
export function inputCut(): GatewayError {
  return new GatewayError("GW_BODY_CUT", 400, "the web server closed the connection inside a request's input");
}
