// The connections of a server, and room for one more. Web servers keep idle connections on purpose, so these have no
// time limit; but where there is no more room, the one that has been idle the longest makes it.
import type { Connection } from "./connection.ts";

/** All connections of one server, at most `most`. */
export class ConnectionRoom {
  readonly #most: number;
  readonly #connections: Set<Connection> = new Set();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#connections.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#connections.values();
  }

  /** Whether one more may come: there is room, or an idle one was closed for it. */
  makeRoom(): boolean {
    if (this.#connections.size < this.#most) return true;
    const idle = this.#longestIdle();
    if (idle === null) return false;
    this.#connections.delete(idle); // its "close" comes later
    idle.destroy();
    return true;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  delete(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Looked for only when the server is full, so that requests pay for no order. */
  #longestIdle(): Connection | null {
    let found: Connection | null = null;
    for (const one of this.#connections) {
      if (one.isIdle && (found === null || one.lastActive < found.lastActive)) found = one;
    }
    return found;
  }
}
