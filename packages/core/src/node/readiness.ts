// When a new process counts as ready.
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { backendFailure } from "./backend-failure.ts";
import type { Clock } from "./clock.ts";
import { LineLog } from "./line-log.ts";

/** What readiness is judged by. */
export interface ReadinessOptions {
  /** As in BackendSpec. */
  when: "spawn" | "connect" | "line" | "accept";
  /** Path of the process's socket, for `"connect"` and `"accept"`. */
  address: string | null;
  /** Its descriptor 3, for `"line"`. */
  control: Duplex | null;
  clock: Clock;
  /** Fires when nobody needs to know any more. */
  signal: AbortSignal;
}

/** Settles when the process is ready; rejects with `GW_BACKEND_FAILED` when it says that it will not be. */
export async function untilReady(options: ReadinessOptions): Promise<void> {
  const { when, address, control, clock, signal } = options;
  if (when === "line" && control !== null) return untilLine(control);
  if (when === "connect" && address !== null) return untilTrue(() => accepts(address), clock, signal);
  if (when === "accept" && address !== null) return untilTrue(() => takesConnection(address, signal), clock, signal);
}

const LAST_WORDS_MS = 250;

/** `ready` on a line, or `failed` and a reason. */
function untilLine(control: Duplex): Promise<void> {
  return new Promise((done, fail) => {
    const lines = new LineLog({
      dropped: () => {},
      write(line) {
        if (line === "ready") done();
        else if (line.startsWith("failed"))
          fail(backendFailure(line.slice(6).replace(/^[:\s]+/, "") || "it said: failed"));
      },
    });
    control.on("data", (chunk: Uint8Array) => lines.feed(chunk));
    control.once("close", () => {
      lines.end();
      // If it has ended, that is the better reason, and on its way.
      setTimeout(() => fail(backendFailure("it closed descriptor 3 without the line ready")), LAST_WORDS_MS).unref();
    });
  });
}

const FIRST_TRY_MS = 5;
const LONGEST_TRY_MS = 100;

/** No event tells that another process listens, so we try. */
async function untilTrue(test: () => Promise<boolean>, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let pauseMs = FIRST_TRY_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_TRY_MS)) {
    if (await test()) return;
    await clock.pause(pauseMs, signal);
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

/**
 * Makes a connection that asks nothing and is closed on our side at once: `true` when the process at the socket has taken
 * it and closed its side, too, as everyone does. Until then it waits in the socket's queue; a process that ends resets it,
 * which is `false`, as is `signal`.
 */
export function takesConnection(path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ path, allowHalfOpen: true });
    const end = (isTaken: boolean): void => {
      signal.removeEventListener("abort", leave);
      socket.destroy();
      done(isTaken);
    };
    const leave = (): void => end(false);
    signal.addEventListener("abort", leave);
    socket.once("connect", () => socket.end());
    socket.once("end", () => end(true));
    socket.on("error", () => end(false));
    socket.resume();
    if (signal.aborted) leave();
  });
}
