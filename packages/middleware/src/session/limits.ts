// How long a session lives: idle and absolute limits, and when using it is written down (R-M8).
import type { SessionRecord } from "./store.ts";

/** Limits of a session's life, milliseconds. */
export interface SessionLimits {
  /** A session unused for this long has ended. */
  readonly idleMs: number;
  /** A session this old has ended, used or not. */
  readonly absoluteMs: number;
}

/** Use is written down at most this often. */
export const TOUCH_EVERY_MS = 60_000;

/** When a session that is used now ends unless it is used again. */
export function expiryOf(createdMs: number, nowMs: number, { idleMs, absoluteMs }: SessionLimits): number {
  return Math.min(createdMs + absoluteMs, nowMs + idleMs);
}

/** Whether a session lives. */
export function isAlive(record: SessionRecord, nowMs: number, { absoluteMs }: SessionLimits): boolean {
  return record.expiresMs > nowMs && record.createdMs + absoluteMs > nowMs;
}

/**
 * The new end of a session that is used now, or `null` if the one on record will do.
 *
 * An end too far ahead (the limits were lowered, or a clock was set back) is brought back.
 */
export function dueTouch(record: SessionRecord, nowMs: number, limits: SessionLimits): number | null {
  const expiresMs = expiryOf(record.createdMs, nowMs, limits);
  const behindMs = expiresMs - record.expiresMs;
  const everyMs = Math.min(TOUCH_EVERY_MS, limits.idleMs / 4); // short limits must not end used sessions
  return behindMs >= everyMs || behindMs < -everyMs ? expiresMs : null;
}
