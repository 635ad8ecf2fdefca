// The permits of a worker: lent by its primary, given back when others wait for them and they are not in use.
import type { PermitPool, Permits } from "@gw/core";
import type { Loan, Report } from "./permit-lender.ts";

/** How a worker reaches its primary. */
export interface LenderLink {
  /** Takes part in the permits of a name. */
  join(name: string, limit: number): void;
  report(name: string, report: Report): void;
}

/** So long after its last waiting request a worker still counts as one whose requests wait. */
const HUNGER_MS = 100;
/** Nobody waits longer to hear whether others have a permit to spare: one of them may be busy for seconds. */
const PATIENCE_MS = 1_000;

/** Permits that live in the primary. */
export class BorrowedPermits implements Permits {
  readonly #link: LenderLink;
  readonly #pools = new Map<string, BorrowedPool>();

  constructor(link: LenderLink) {
    this.#link = link;
  }

  pool(name: string, limit: number): PermitPool {
    let pool = this.#pools.get(name);
    if (pool === undefined) {
      pool = new BorrowedPool(limit, (report) => this.#link.report(name, report));
      this.#pools.set(name, pool);
    }
    pool.limit = limit;
    this.#link.join(name, limit);
    return pool;
  }

  /** The primary lends, or asks for something back. */
  lent(name: string, loan: Loan): void {
    this.#pools.get(name)?.told(loan);
  }
}

class BorrowedPool implements PermitPool {
  limit: number;
  readonly #report: (report: Report) => void;
  readonly #listeners = new Set<() => void>();
  /** Permits that are here, and those of them that are in use. */
  #held = 0;
  #taken = 0;
  #keep: number | null = null;
  /** Permits on their way back. */
  #back = 0;
  /** Requests here that wait, as they say it, and as the primary knows it. */
  #wanted = 0;
  #asked = 0;
  #isHungry = false;
  #isEmpty = false;
  #sating: NodeJS.Timeout | null = null;
  #losingPatience: NodeJS.Timeout | null = null;
  #isReporting = false;

  constructor(limit: number, report: (report: Report) => void) {
    this.limit = limit;
    this.#report = report;
  }

  /** There are no permits that anybody could have, or the primary has said so. */
  get isEmpty(): boolean {
    return this.#isEmpty || this.limit === 0;
  }

  take(): boolean {
    if (this.#taken >= this.#held) return false;
    this.#taken++;
    return true;
  }

  give(): void {
    this.#taken--;
    // Beyond its part a permit goes to the others, even if requests wait here.
    if (this.#keep !== null && this.#held > this.#keep) this.#giveBack(1);
    else this.#tellListeners();
  }

  want(count: number): void {
    this.#wanted = count;
    if (this.limit === 0) return;
    if (count === 0) return this.#rest();
    if (this.#sating !== null) {
      clearTimeout(this.#sating);
      this.#sating = null;
    }
    this.#isHungry = true;
    if (!this.#isEmpty) this.#losingPatience ??= setTimeout(() => this.#presumeEmpty(), PATIENCE_MS).unref();
    if (count > this.#asked) this.#reportSoon();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The primary has spoken. */
  told({ lend, keep, isEmpty }: Loan): void {
    const isNews = this.#keep === null && keep !== null;
    this.#held += lend;
    this.#asked = Math.max(0, this.#asked - lend);
    this.#keep = keep;
    this.#isEmpty = isEmpty;
    if (isEmpty) this.#forgetPatience();
    this.#tellListeners();
    this.#giveBackSpare();
    if (isNews) this.#reportSoon(); // it waits for our word, even if that is "nothing"
  }

  /** Nothing waits any more. It may again in a moment: hunger ends a little later. */
  #rest(): void {
    if (!this.#isHungry || this.#sating !== null) return;
    this.#sating = setTimeout(() => {
      this.#sating = null;
      this.#isHungry = false;
      this.#isEmpty = false;
      this.#forgetPatience();
      this.#giveBackSpare();
      this.#reportSoon();
    }, HUNGER_MS).unref();
  }

  #presumeEmpty(): void {
    this.#losingPatience = null;
    this.#isEmpty = true;
    this.#tellListeners();
  }

  #forgetPatience(): void {
    if (this.#losingPatience !== null) clearTimeout(this.#losingPatience);
    this.#losingPatience = null;
  }

  /** What is not in use, and more than our part, goes back at once. */
  #giveBackSpare(): void {
    if (this.#keep === null) return;
    const part = this.#isHungry ? this.#keep : 0;
    const spare = Math.min(this.#held - this.#taken, this.#held - part);
    if (spare > 0) this.#giveBack(spare);
  }

  #giveBack(count: number): void {
    this.#held -= count;
    this.#back += count;
    this.#reportSoon();
  }

  /** Everything of one turn of the event loop is one report. */
  #reportSoon(): void {
    if (this.#isReporting) return;
    this.#isReporting = true;
    setImmediate(() => {
      this.#isReporting = false;
      const back = this.#back;
      this.#back = 0;
      this.#asked = this.#wanted;
      this.#report({ back, wanted: this.#wanted, isHungry: this.#isHungry });
    });
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener();
  }
}
