// Signals while serving: TERM drains, a second one or INT stops at once, HUP reloads (R-O1, R-O2).
import type { RunningServer } from "@gw/http";

/** What signals act on. */
export interface SignalOptions {
  readonly server: Pick<RunningServer, "close">;
  /** HUP, while nothing is being stopped. */
  readonly reload: () => void;
  /** The first signal to stop has come. */
  readonly onStop: () => void;
  /** From the first TERM to the moment when no more connections are taken, milliseconds: load balancers notice. @default 0 */
  readonly delayMs?: number;
  /** Longest time a drain takes by itself, milliseconds. */
  readonly gracefulTimeoutMs: number;
  /** Settles when whoever started us is gone: then what has begun is finished, and a TERM says nothing new. @default never */
  readonly orphaned?: Promise<void>;
  /** An app does not stop: the process has to end without it. */
  readonly giveUp: () => void;
}

/** Time beyond its deadline for an app to stop. */
export const STOP_GRACE_MS = 5_000;
/** The same, once somebody has asked for an end at once. */
const HURRY_GRACE_MS = 3_000; // the server itself gives exchanges that were cut a second to notice

/**
 * Obeys signals until the server has stopped.
 *
 * @returns settles when it has; rejects if the app failed to stop
 */
export function untilStopped(options: SignalOptions): Promise<void> {
  const { server, reload, onStop, delayMs = 0, gracefulTimeoutMs, orphaned, giveUp } = options;
  let timer: NodeJS.Timeout | undefined;
  const endWithin = (milliseconds: number): void => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, milliseconds);
  };
  return new Promise<void>((resolve, reject) => {
    let isStopping = false;
    let delay: NodeJS.Timeout | undefined;
    const close = (): void => {
      clearTimeout(delay);
      delay = undefined;
      server.close().then(end(resolve), end(reject)); // a second call cuts what still runs
    };
    const drain = (): void => {
      endWithin(isStopping ? HURRY_GRACE_MS : delayMs + gracefulTimeoutMs + STOP_GRACE_MS);
      const isFirst = !isStopping;
      if (isFirst) onStop();
      isStopping = true;
      if (isFirst && delayMs > 0) {
        delay = setTimeout(close, delayMs);
        return;
      }
      if (delay !== undefined) close(); // the first call, which the delay has put off
      close();
    };
    let isOrphan = false;
    void orphaned?.then(() => {
      isOrphan = true;
      if (!isStopping) drain();
    });
    const handlers: Readonly<Record<string, () => void>> = {
      SIGTERM() {
        // The guard of a killed parent sends one, too, whichever comes first.
        if (!isOrphan || !isStopping) drain();
      },
      SIGINT() {
        if (!isStopping) drain();
        drain();
      },
      SIGHUP() {
        if (!isStopping) reload();
      },
    };
    const end = <T>(settle: (value: T) => void) => {
      return (value: T): void => {
        clearTimeout(timer);
        for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
        settle(value);
      };
    };
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  });
}
