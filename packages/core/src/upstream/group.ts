// Several upstreams of one app: which of them a request goes to, and what happens when none is free.
import type { MaybePromise } from "../model/maybe-promise.ts";
import { Health, type HealthOptions } from "./health.ts";
import { WaitQueue, type WaitQueueOptions } from "./wait-queue.ts";

/** How requests are shared out. */
export interface UpstreamGroupOptions extends HealthOptions, WaitQueueOptions {
  /** Requests at once to each upstream. @default 16 */
  maxConnections?: number;
  /** Monotonic clock, milliseconds. @default performance.now */
  now?: () => number;
}

/** A place at an upstream, taken by one request. */
export interface UpstreamLease<T> {
  readonly upstream: T;
  /** The upstream answered. */
  succeeded(): void;
  /** It could not be reached, or did not speak as it should. */
  failed(): void;
  /** Gives the place back; further calls do nothing. */
  release(): void;
}

interface Member<T> {
  readonly upstream: T;
  readonly health: Health;
  running: number;
}

/** What a lease needs of its group. */
interface LeaseKeeper {
  readonly now: () => number;
  readonly released: () => void;
}

/** Shares requests out: to the upstream with the fewest, of those that are in service. */
export class UpstreamGroup<T> {
  readonly #options: UpstreamGroupOptions;
  readonly #maxConnections: number;
  readonly #now: () => number;
  readonly #queue: WaitQueue<UpstreamLease<T>>;
  readonly #keeper: LeaseKeeper;
  #members: readonly Member<T>[];
  #next = 0;

  constructor(upstreams: readonly T[], options: UpstreamGroupOptions = {}) {
    const { maxConnections = 16, now = () => performance.now() } = options;
    this.#options = options;
    this.#maxConnections = maxConnections;
    this.#now = now;
    this.#queue = new WaitQueue(options);
    this.#keeper = { now, released: () => this.#serveQueue() };
    this.#members = upstreams.map((upstream) => this.#newMember(upstream));
  }

  /** Requests under way. */
  get running(): number {
    return this.#members.reduce((sum, { running }) => sum + running, 0);
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Every upstream with its numbers. */
  get members(): readonly { readonly upstream: T; readonly running: number; readonly isUp: boolean }[] {
    const now = this.#now();
    return this.#members.map(({ upstream, running, health }) => ({ upstream, running, isUp: health.isUp(now) }));
  }

  /** Changes the upstreams; those that stay keep their numbers. */
  replace(upstreams: readonly T[]): void {
    const known = new Map(this.#members.map((member) => [member.upstream, member]));
    this.#members = upstreams.map((upstream) => known.get(upstream) ?? this.#newMember(upstream));
    this.#serveQueue();
  }

  /**
   * Takes a place: at once if one is free.
   *
   * @param avoid an upstream that has just failed: only taken if there is no other
   * @throws GatewayError `GW_UPSTREAM_BUSY`; the reason of `signal`
   */
  take(signal: AbortSignal, avoid: T | null = null): MaybePromise<UpstreamLease<T>> {
    const member = this.#choose(avoid);
    return member === null ? this.#queue.wait(signal) : this.#lease(member);
  }

  /** The best member with a free place. If all are out of service, any: a refusal costs little, and one may be back. */
  #choose(avoid: T | null): Member<T> | null {
    const now = this.#now();
    const areAllDown = this.#members.every(({ health }) => !health.isUp(now));
    const count = this.#members.length;
    let best: Member<T> | null = null;
    // Beginning one further on each time shares out what is equal; nothing is made on the way, this is every request's.
    for (let step = 0; step < count; step++) {
      const member = this.#members[(this.#next + step) % count] as Member<T>;
      if (member.running >= this.#maxConnections || !(areAllDown || member.health.isUp(now))) continue;
      if (best === null || isBetter(member, best, avoid)) best = member;
    }
    this.#next = (this.#next + 1) % Math.max(1, count);
    return best;
  }

  #lease(member: Member<T>): UpstreamLease<T> {
    member.running++;
    return new Lease(member, this.#keeper);
  }

  #serveQueue(): void {
    while (this.#queue.length > 0) {
      const member = this.#choose(null);
      if (member === null) return;
      this.#queue.serve(this.#lease(member));
    }
  }

  #newMember(upstream: T): Member<T> {
    return { upstream, health: new Health(this.#options), running: 0 };
  }
}

/** The one that is not avoided, else the one with fewer requests. */
function isBetter<T>(one: Member<T>, other: Member<T>, avoid: T | null): boolean {
  const isAvoided = one.upstream === avoid;
  if (isAvoided !== (other.upstream === avoid)) return !isAvoided;
  return one.running < other.running;
}

class Lease<T> implements UpstreamLease<T> {
  readonly upstream: T;
  readonly #member: Member<T>;
  readonly #keeper: LeaseKeeper;
  #isHeld = true;

  constructor(member: Member<T>, keeper: LeaseKeeper) {
    this.upstream = member.upstream;
    this.#member = member;
    this.#keeper = keeper;
  }

  succeeded(): void {
    this.#member.health.succeeded();
  }

  failed(): void {
    this.#member.health.failed(this.#keeper.now());
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#member.running--;
    this.#keeper.released();
  }
}
