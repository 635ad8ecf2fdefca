// A socket as both sides of a connection write to it: gathered, and at the pace of the peer.
import type { Socket } from "node:net";
import type { MaybePromise } from "@gw/core";

/** Writes pieces that belong together in one system call; whoever writes waits when the peer does not read. */
export class RecordSocket {
  readonly #socket: Socket;
  #drained: Promise<void> | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
  }

  /** Writes in order; a promise settles when the peer has taken enough, or is gone. */
  write(pieces: readonly Uint8Array[]): MaybePromise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    let hasRoom = true;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) hasRoom = socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    return hasRoom ? undefined : this.#drain();
  }

  /** Writes a byte string, which Node turns into bytes on the way into the system: no buffer is made. */
  writeText(records: string): void {
    const socket = this.#socket;
    if (!socket.destroyed && !socket.writableEnded) socket.write(records, "latin1");
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
