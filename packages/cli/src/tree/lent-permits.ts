// The permits of all names that a primary lends to its workers.
import type { Metrics } from "@gw/core";
import { type Loan, PermitLender, type Report } from "./permit-lender.ts";

/** A worker as this file needs it. */
export interface PermitUser {
  /** Tells it of a loan. */
  lent(name: string, loan: Loan): void;
}

/** Keeps who has which permits. */
export class LentPermits {
  readonly #lenders = new Map<string, PermitLender<PermitUser>>();
  readonly #metrics: Metrics;
  /** What a worker said before it ended may arrive after its end: it must not take part again. */
  readonly #gone = new WeakSet<PermitUser>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** A worker takes part in the permits of a name. The limit of the latest holds: after a reload that of the new ones. */
  join(user: PermitUser, name: string, options: { readonly limit: number; readonly workers: number }): void {
    if (this.#gone.has(user)) return;
    let lender = this.#lenders.get(name);
    if (lender === undefined) {
      lender = new PermitLender(options.limit, (worker, loan) => worker.lent(name, loan));
      this.#lenders.set(name, lender);
    }
    const gauge = { name: "gw_permits", help: "How many may do something at once, by its name." };
    this.#metrics.gauge(gauge).set(options.limit, { name });
    lender.join(user, options);
  }

  /** A worker says what it gives back and what it waits for. */
  hear(user: PermitUser, name: string, report: Report): void {
    this.#lenders.get(name)?.hear(user, report);
  }

  /** A worker is gone: what it held is free. */
  leave(user: PermitUser): void {
    this.#gone.add(user);
    for (const lender of this.#lenders.values()) lender.leave(user);
  }
}
