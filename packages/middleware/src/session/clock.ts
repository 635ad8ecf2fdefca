// Time for sessions: wall clock, so that processes agree, but never slower than real time (R-O12).

/** Milliseconds since the epoch. */
export type Clock = () => number;

const SLACK_MS = 1_000;

/**
 * A wall clock that a step backwards cannot slow: while this process runs, at
 * least as much time passes on it as on the monotonic clock, so no session outlives its limits.
 *
 * A step forwards counts as time passed: it can be a suspended machine, and ending early is safe.
 */
export function createClock(wall: Clock = Date.now, monotonic: Clock = () => performance.now()): Clock {
  let lastWall = wall();
  let lastMonotonic = monotonic();
  let aheadMs = 0;
  return () => {
    const wallNow = wall();
    const monotonicNow = monotonic();
    const lostMs = monotonicNow - lastMonotonic - (wallNow - lastWall);
    if (lostMs > SLACK_MS) aheadMs += lostMs;
    lastWall = wallNow;
    lastMonotonic = monotonicNow;
    return wallNow + aheadMs;
  };
}
