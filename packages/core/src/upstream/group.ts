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

/** Shares requests out: to the upstream with the fewest, of those that are in service. */
export class UpstreamGroup<T> {
  readonly #options: UpstreamGroupOptions;
  readonly #maxConnections: number;
  readonly #now: () => number;
  readonly #queue: WaitQueue<UpstreamLease<T>>;
  #members: readonly Member<T>[];
  #next = 0;

  constructor(upstreams: readonly T[], options: UpstreamGroupOptions = {}) {
    const { maxConnections = 16, now = () => performance.now() } = options;
    this.#options = options;
    this.#maxConnections = maxConnections;
    this.#now = now;
    this.#queue = new WaitQueue(options);
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
    const free = this.#members.filter(({ running }) => running < this.#maxConnections);
    const up = free.filter(({ health }) => health.isUp(now));
    const others = up.filter(({ upstream }) => upstream !== avoid);
    const candidates = others.length > 0 ? others : up.length > 0 ? up : this.#areAllDown(now) ? free : [];
    if (candidates.length === 0) return null;
    const least = Math.min(...candidates.map(({ running }) => running));
    const best = candidates.filter(({ running }) => running === least);
    return best[this.#next++ % best.length] as Member<T>;
  }

  #areAllDown(now: number): boolean {
    return this.#members.every(({ health }) => !health.isUp(now));
  }

  #lease(member: Member<T>): UpstreamLease<T> {
    member.running++;
    let isHeld = true;
    return {
      upstream: member.upstream,
      succeeded: () => member.health.succeeded(),
      failed: () => member.health.failed(this.#now()),
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        member.running--;
        this.#serveQueue();
      },
    };
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
