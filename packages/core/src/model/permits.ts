// So many at once: permits that all processes of a gateway share.

/** Permits of one name, as one process sees them. */
export interface PermitPool {
  /** How many there are, in all processes together. */
  readonly limit: number;
  /** Takes one that is at hand. `false`: there is none now; see `want`. */
  take(): boolean;
  /** Gives one back that was taken. */
  give(): void;
  /**
   * Says how many are waited for, none being at hand; 0: none any more. Other processes may have some that they do not
   * use: `onChange` is told when one has come, or when it is sure that there is none (`isEmpty`).
   */
  want(count: number): void;
  /** Whether it is sure that no process has a permit to spare. */
  readonly isEmpty: boolean;
  /** Calls the listener when there may be something to take, or `isEmpty` has changed; gives how to forget it. */
  onChange(listener: () => void): () => void;
}

/** Permits by name: of this process, or lent by the primary when there are several workers. */
export interface Permits {
  /** The permits of a name. Who asks for the same name shares them; the limit that was asked for last holds. */
  pool(name: string, limit: number): PermitPool;
}
