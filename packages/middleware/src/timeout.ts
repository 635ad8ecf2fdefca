// An app that does not answer in time: the client gets 504, the app's signal fires.
import {
  type Answer,
  discard,
  GatewayError,
  type GatewayRequest,
  type Handler,
  isPromise,
  type MaybePromise,
  type Middleware,
  markAsync,
} from "@gw/core";
import { refusal } from "./pages/refusal.ts";

/** Settings of `timeout`. */
export interface TimeoutOptions {
  /** Longest wait for the head of an answer, milliseconds. Bodies and accepted sockets may take longer. */
  ms: number;
}

const tooSlow = refusal(504);

/**
 * Answers 504 when the inside has not answered within the time, and fires its `signal` with a `TimeoutError`.
 *
 * An answer that comes later is discarded. An app that blocks the event loop cannot be stopped by anything in its
 * process: give it threads or processes.
 *
 * @throws GatewayError `GW_TIMEOUT` if `ms` is no time.
 */
export function timeout({ ms }: TimeoutOptions): Middleware {
  if (!(ms > 0 && ms <= MAX_TIMER_MS)) {
    throw new GatewayError("GW_TIMEOUT", 500, `ms is a time from 1 to ${MAX_TIMER_MS} milliseconds, found ${ms}`);
  }
  const wrap = (next: Handler): Handler => {
    return (request) => {
      const limit = new AbortController();
      const inside = linked(request, limit);
      const answer = next(inside);
      return isPromise(answer) ? markAsync(race(answer, limit, request, ms), "timeout") : answer;
    };
  };
  return Object.assign(wrap, { layerName: "timeout" });
}

const MAX_TIMER_MS = 2_147_483_647;

/** The request with a signal that fires with the client's, and with ours. */
function linked(request: GatewayRequest, limit: AbortController): GatewayRequest {
  const { signal } = request;
  const pass = (): void => limit.abort(signal.reason);
  if (signal.aborted) pass();
  else signal.addEventListener("abort", pass, { once: true });
  return { ...request, signal: limit.signal };
}

function race(answer: Promise<Answer>, limit: AbortController, request: GatewayRequest, ms: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      request.exchange.log.warn({ ms }, `${request.method} ${request.target}: no answer in time`);
      limit.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
      resolve(tooSlow);
    }, ms);
    answer.then(
      (given) => {
        clearTimeout(timer);
        if (isOver) void letGo(given, request);
        else resolve(given);
      },
      (error: unknown) => {
        clearTimeout(timer);
        // After the 504 an error is what the signal asked for.
        if (!isOver) reject(error);
      },
    );
  });
}

function letGo(answer: Answer, { exchange }: GatewayRequest): MaybePromise<void> {
  const failed = (error: unknown): void =>
    exchange.log.error({ err: error }, "an answer that came too late did not close");
  try {
    const done = discard(answer);
    if (isPromise(done)) return done.catch(failed);
  } catch (error) {
    failed(error);
  }
}
