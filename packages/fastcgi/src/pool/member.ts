// One process of a pool, as the pool knows it: what it has served, and whether it is to be replaced.
import { residentBytes } from "./memory.ts";
import type { FastcgiPoolOptions } from "./options.ts";

/** When a process is replaced. */
export type RecycleOptions = Pick<FastcgiPoolOptions, "maxRequests" | "maxLifetimeMs" | "maxRssBytes">;

const LOOK_MS = 1_000;
const TRY_AGAIN_MS = 10_000;

/** A process that serves. Times are monotonic milliseconds. */
export class PoolMember {
  readonly pid: number;
  readonly #sinceMs: number;
  readonly #memoryOf: (pid: number) => number | null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #heldUntilMs = 0;
  served = 0;

  /** @param memoryOf resident bytes of a process */
  constructor(pid: number, nowMs: number, memoryOf: (pid: number) => number | null = residentBytes) {
    this.pid = pid;
    this.#sinceMs = nowMs;
    this.#memoryOf = memoryOf;
  }

  /** Why it has to be replaced; `null` if it may stay, or is being replaced. */
  surplus({ maxRequests = 0, maxLifetimeMs = 0, maxRssBytes = 0 }: RecycleOptions, nowMs: number): string | null {
    if (nowMs < this.#heldUntilMs) return null;
    if (maxRequests > 0 && this.served >= maxRequests) return `it has served ${this.served} requests`;
    if (maxLifetimeMs > 0 && nowMs - this.#sinceMs >= maxLifetimeMs) return "it is old enough";
    if (maxRssBytes === 0 || nowMs - this.#lookedAtMs < LOOK_MS) return null;
    this.#lookedAtMs = nowMs;
    const bytes = this.#memoryOf(this.pid) ?? 0;
    return bytes > maxRssBytes ? `it has ${bytes} bytes of memory` : null;
  }

  /** Its replacement was begun; if that fails, it is not tried again for a while. */
  hold(nowMs: number): void {
    this.#heldUntilMs = nowMs + TRY_AGAIN_MS;
  }
}
