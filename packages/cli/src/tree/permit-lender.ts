// The permits of one name, lent to workers: which of them may let how many requests in. Pure: no I/O, no clock.

/** What a worker is told. */
export interface Loan {
  /** Permits that it has from now on beside those it has. */
  readonly lend: number;
  /** Permits beyond these come back when they are not in use any more; `null`: nobody waits, it may keep what it has. */
  readonly keep: number | null;
  /** Whether no other worker has a permit to spare. */
  readonly isEmpty: boolean;
}

/** What a worker says. */
export interface Report {
  /** Permits that it gives back. */
  readonly back: number;
  /** Requests that wait there for a permit. */
  readonly wanted: number;
  /** Whether some wait there, or did a moment ago. */
  readonly isHungry: boolean;
}

interface Borrower {
  lent: number;
  wanted: number;
  isHungry: boolean;
  /** Whether it was asked for what it does not use, and has not answered yet. */
  isAsked: boolean;
  told: Omit<Loan, "lend">;
  /** When it was lent to last, counted in loans. */
  lastLoan: number;
}

const CALM: Omit<Loan, "lend"> = { keep: null, isEmpty: false };

/**
 * Lends permits so that all workers together never have more than there are.
 *
 * While nobody waits, each worker keeps a share and asks nobody. When one has requests that wait, the others give back
 * what they do not use; workers whose requests wait get equal parts of the rest. A permit counts as lent until the
 * worker has given it back, or is gone.
 *
 * @param Worker what stands for a worker
 */
export class PermitLender<Worker extends object> {
  #limit: number;
  #workers = 1;
  readonly #tell: (worker: Worker, loan: Loan) => void;
  readonly #borrowers = new Map<Worker, Borrower>();
  #loans = 0;

  constructor(limit: number, tell: (worker: Worker, loan: Loan) => void) {
    this.#limit = limit;
    this.#tell = tell;
  }

  /** Permits in all. */
  get limit(): number {
    return this.#limit;
  }

  /** Permits that no worker has; below 0 while the limit has become less than what is lent. */
  get free(): number {
    return this.#limit - this.#sum((one) => one.lent);
  }

  /** How many a worker has. */
  lentTo(worker: Worker): number {
    return this.#borrowers.get(worker)?.lent ?? 0;
  }

  /**
   * A worker takes part from now on.
   *
   * @param limit permits in all, as this worker knows it: the latest one holds
   * @param workers how many are expected to share them
   */
  join(worker: Worker, { limit, workers }: { readonly limit: number; readonly workers: number }): void {
    this.#limit = limit;
    if (!this.#borrowers.has(worker))
      this.#borrowers.set(worker, { lent: 0, wanted: 0, isHungry: false, isAsked: false, told: CALM, lastLoan: 0 });
    this.#workers = workers;
    this.#settle();
  }

  /** A worker is gone, and all that it held is free (R-O5). */
  leave(worker: Worker): void {
    if (this.#borrowers.delete(worker)) this.#settle();
  }

  /** A worker has said something. */
  hear(worker: Worker, { back, wanted, isHungry }: Report): void {
    const borrower = this.#borrowers.get(worker);
    if (borrower === undefined) return;
    borrower.lent -= back;
    borrower.wanted = wanted;
    borrower.isHungry = isHungry;
    borrower.isAsked = false;
    this.#settle();
  }

  #settle(): void {
    const hungry = [...this.#borrowers.values()].filter((one) => one.isHungry);
    const isTight = hungry.length > 0 || this.free < 0;
    const loans = isTight ? this.#lendToHungry(hungry) : this.#lendShares();
    const askedNow = this.#askAll(isTight);
    const isAllHeard = ![...this.#borrowers.values()].some((one) => one.isAsked);
    const part = this.#partOf(hungry);
    for (const [worker, borrower] of this.#borrowers) {
      const isEmpty = borrower.isHungry && isAllHeard && this.free <= 0;
      const keep = isTight ? (borrower.isHungry || hungry.length === 0 ? part : 0) : null;
      const lend = loans.get(borrower) ?? 0;
      const { told } = borrower;
      if (lend === 0 && told.keep === keep && told.isEmpty === isEmpty && !askedNow.has(borrower)) continue;
      borrower.told = { keep, isEmpty };
      this.#tell(worker, { lend, keep, isEmpty });
    }
  }

  /** The first time that others wait, everybody is asked what it can spare. */
  #askAll(isTight: boolean): ReadonlySet<Borrower> {
    const asked = new Set<Borrower>();
    if (!isTight) return asked;
    for (const borrower of this.#borrowers.values()) {
      if (borrower.isHungry || borrower.told.keep !== null) continue;
      borrower.isAsked = true;
      asked.add(borrower);
    }
    return asked;
  }

  /** What each hungry worker may keep; with none, what each worker may. */
  #partOf(hungry: readonly Borrower[]): number {
    if (hungry.length === 0) return Math.floor(this.#limit / Math.max(1, this.#borrowers.size));
    const elsewhere = this.#sum((one) => (one.isHungry ? 0 : one.lent));
    return Math.max(0, Math.floor((this.#limit - elsewhere) / hungry.length));
  }

  /** To those whose requests wait; first to who has least, and of those to who has waited longest. */
  #lendToHungry(hungry: readonly Borrower[]): Map<Borrower, number> {
    const loans = new Map<Borrower, number>();
    const takers = hungry.filter(({ wanted }) => wanted > 0);
    for (let free = this.free; free > 0 && takers.length > 0; free--) {
      takers.sort((a, b) => a.lent - b.lent || a.lastLoan - b.lastLoan);
      const first = takers[0] as Borrower;
      this.#lend(first, 1, loans);
      if (--first.wanted === 0) takers.shift();
    }
    return loans;
  }

  /** Nobody waits: what is free goes to workers that have less than their share. */
  #lendShares(): Map<Borrower, number> {
    const loans = new Map<Borrower, number>();
    const share = Math.ceil(this.#limit / Math.max(this.#workers, this.#borrowers.size));
    for (const borrower of this.#borrowers.values()) {
      const more = Math.min(this.free, share - borrower.lent);
      if (more > 0) this.#lend(borrower, more, loans);
    }
    return loans;
  }

  #lend(borrower: Borrower, count: number, loans: Map<Borrower, number>): void {
    borrower.lent += count;
    borrower.lastLoan = ++this.#loans;
    loans.set(borrower, (loans.get(borrower) ?? 0) + count);
  }

  #sum(of: (borrower: Borrower) => number): number {
    let sum = 0;
    for (const one of this.#borrowers.values()) sum += of(one);
    return sum;
  }
}
