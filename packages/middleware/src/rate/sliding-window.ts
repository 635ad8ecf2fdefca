// A limit over a sliding window, estimated from two fixed ones: little memory, no burst at the seams.
import type { CounterReading } from "@gw/core";

/**
 * Milliseconds until one more hit is within the limit, or `null` if it is now.
 *
 * @param isPeek whether the hit is not yet in the count
 */
export function waitFor(
  { count, previous, resetMs }: CounterReading,
  limit: number,
  windowMs: number,
  isPeek: boolean,
): number | null {
  const others = isPeek ? count : count - 1;
  const estimate = others + previous * (resetMs / windowMs);
  if (estimate < limit) return null;
  const room = limit - others;
  // While this window has room, the previous one fades; else the next window must come, and this one fade in it.
  if (room > 0) return resetMs - (room / previous) * windowMs;
  return resetMs + Math.max(0, 1 - limit / others) * windowMs;
}

/** How many more hits there is room for, this one counted. */
export function roomIn({ count, previous, resetMs }: CounterReading, limit: number, windowMs: number): number {
  return Math.max(0, Math.floor(limit - count - previous * (resetMs / windowMs)));
}
