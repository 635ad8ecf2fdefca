// How long a request may take to say what it is. A web server sends its variables at once; one that stopped half-way
// would hold its connection for ever.

/** Watches the oldest of a connection's requests whose variables are incomplete. Costs nothing while there is none. */
export class OpeningLimit {
  readonly #limitMs: number;
  readonly #expired: () => void;
  #watched: object | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs each request gets at least so long; `Infinity`: no limit */
  constructor(limitMs: number, expired: () => void) {
    this.#limitMs = limitMs;
    this.#expired = expired;
  }

  /** Starts over when another request has become the oldest; more bytes of the same one give it no more time. */
  watch(oldest: object | null): void {
    if (oldest === this.#watched) return;
    this.#watched = oldest;
    clearTimeout(this.#timer);
    if (oldest === null || this.#limitMs > LONGEST_TIMER_MS) return;
    this.#timer = setTimeout(this.#expired, this.#limitMs);
  }
}

/** A timer beyond it would fire at once; 24 days are no limit to anybody. */
const LONGEST_TIMER_MS = 2_147_483_647;
