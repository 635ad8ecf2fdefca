// A socket as both sides of a connection write to it: gathered, and at the pace of the peer.
import type { Socket } from "node:net";
import type { MaybePromise } from "@gw/core";
import { HEADER_BYTES } from "./codec/constants.ts";

/** For a web server to pass on what came before a broken end. */
const HEAD_START_MS = 50;
/** Eight bytes that are no header of a record: version 0. */
const noRecord: Uint8Array = new Uint8Array(HEADER_BYTES);

/** Writes pieces that belong together in one system call; whoever writes waits when the peer does not read. */
export class RecordSocket {
  readonly #socket: Socket;
  #drained: Promise<void> | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
  }

  /**
   * Writes in order; a promise settles when the peer has taken enough, or is gone.
   *
   * @param taken called when the system has taken all of it, and reads none of these pieces any more
   */
  write(pieces: readonly Uint8Array[], taken?: () => void): MaybePromise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    const last = pieces.length - 1;
    const whenTaken = taken && ((error?: Error | null) => error == null && taken());
    let hasRoom = true;
    if (pieces.length > 1) socket.cork();
    for (let at = 0; at <= last; at++)
      hasRoom = socket.write(pieces[at] as Uint8Array, at === last ? whenTaken : undefined);
    if (pieces.length > 1) socket.uncork();
    return hasRoom ? undefined : this.#drain();
  }

  /** Writes a byte string, which Node turns into bytes on the way into the system: no buffer is made. */
  writeText(records: string): void {
    const socket = this.#socket;
    if (!socket.destroyed && !socket.writableEnded) socket.write(records, "latin1");
  }

  /**
   * Ends an answer so that nobody takes it for whole. Closing before FCGI_END_REQUEST is what the protocol has for it, but
   * nginx takes that for the end of an answer without a length. A record of a version there is none of, it takes for what
   * it is (docs/decisions/0006); with what it read together with it, it drops the rest, so what is out already gets a
   * head start.
   */
  breakOff(): void {
    setTimeout(() => {
      void this.write([noRecord]);
      this.#socket.destroySoon();
    }, HEAD_START_MS);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** All who wait, wait for the same. */
  #drain(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off("drain", done);
        this.#socket.off("close", done);
        this.#drained = null;
        resolve();
      };
      this.#socket.on("drain", done);
      this.#socket.on("close", done);
    });
    return this.#drained;
  }
}
