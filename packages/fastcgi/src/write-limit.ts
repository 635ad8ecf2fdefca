// How long a web server may leave its answers unread. One that stopped would hold them, and their apps, for ever.
import type { Socket } from "node:net";

/** Watches one connection while there is something that the web server has not taken. */
export class WriteLimit {
  readonly #socket: Socket;
  readonly #limitMs: number;
  #isWatching = false;

  /** @param limitMs without a byte taken; 0: no limit */
  constructor(socket: Socket, limitMs: number, expired: () => void) {
    this.#socket = socket;
    this.#limitMs = limitMs;
    socket.on("timeout", () => {
      if (socket.writableLength > 0) expired();
    });
  }

  /** To be called about once a second: a timer is set only for who does not read at once. */
  check(): void {
    const isBehind = this.#socket.writableLength > 0;
    if (isBehind === this.#isWatching) return;
    this.#isWatching = isBehind;
    // The socket's own timer knows of a long write of which a part was taken.
    this.#socket.setTimeout(isBehind ? this.#limitMs : 0);
  }
}
