// Time as the supervisor sees it: monotonic (R-O12), and replaceable in tests.

/** Monotonic time and pauses. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number;
  /** Settles after the time or when the signal fires, whichever is first. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  random: Math.random,
  pause: (ms, signal) =>
    new Promise((done) => {
      if (signal.aborted) return done();
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        done();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
    }),
};
