// So many requests at once, a short line in front of them, and 503 for the rest (R-O10).
import {
  type Answer,
  type AppContext,
  beginPhase,
  createContext,
  GatewayError,
  type GatewayRequest,
  isPromise,
  layer,
  type Middleware,
  type PermitPool,
} from "@gw/core";
import { LimitMeters } from "./concurrency/limit-meters.ts";
import { type Refusal, WaitingLine } from "./concurrency/waiting-line.ts";
import { refusal } from "./pages/refusal.ts";

/** Settings of `limitConcurrency`. */
export interface LimitConcurrencyOptions {
  /** Requests and sockets at once, in all processes of the gateway together. */
  limit: number;
  /** Requests that may wait for a turn, in all processes together; further ones are answered 503 at once. @default 64 */
  maxQueued?: number;
  /** Longest wait for a turn, milliseconds; then 503. @default 5_000 */
  queueTimeoutMs?: number;
  /** Name of the limit in metrics; layers of one name share it. @default one of its own, "requests" for the first */
  name?: string;
}

/**
 * Lets so many requests in at once; further ones wait for a turn, first come, first served, and what would wait too
 * long is answered 503 with Retry-After.
 *
 * A request is in until its answer has been sent, a socket until it has closed. Both bounds are exact over all workers of
 * a gateway; a worker with permits at hand asks nobody. Waiting is the phase `"queue"`.
 *
 * @throws GatewayError `GW_CONCURRENCY` if a count or the time cannot be.
 */
export function limitConcurrency(options: LimitConcurrencyOptions): Middleware {
  const { limit, maxQueued = 64, queueTimeoutMs = 5_000, name = nextName() } = options;
  checkCount("limit", limit, 1);
  checkCount("maxQueued", maxQueued, 0);
  if (!(queueTimeoutMs >= 0 && queueTimeoutMs <= MAX_TIMER_MS))
    throw unfit("queueTimeoutMs", queueTimeoutMs, `a time up to ${MAX_TIMER_MS} milliseconds`);
  const open = (context: AppContext): Limit => new Limit({ name, limit, maxQueued, queueTimeoutMs }, context);
  let current = open(createContext());
  return layer({
    name: "limitConcurrency",
    oncePerExchange: true,
    start(context) {
      current.close();
      current = open(context);
    },
    stop: () => current.close(),
    describe: () => ({ kind: "layer", name: "limitConcurrency", facts: { name, limit, maxQueued } }),
    status: () => ({
      name: `limit ${name}`,
      state: "ready",
      error: null,
      facts: { limit, running: current.running, queued: current.queued },
    }),
    onRequest: (request) => current.admit(request),
  });
}

const MAX_TIMER_MS = 2_147_483_647;
const busy = refusal(503, { "Retry-After": "1" });

/** A limit at work, in one process. */
class Limit {
  readonly #permits: PermitPool;
  readonly #line: WaitingLine;
  readonly #meters: LimitMeters;
  /** Requests that are in. */
  running = 0;

  constructor(options: Required<LimitConcurrencyOptions>, { permits, metrics }: AppContext) {
    const { name, limit, maxQueued, queueTimeoutMs } = options;
    this.#meters = new LimitMeters(metrics, name);
    this.#permits = permits.pool(name, limit);
    this.#line = new WaitingLine({
      permits: this.#permits,
      places: permits.pool(`${name} queue`, maxQueued),
      timeoutMs: queueTimeoutMs,
      onLength: (length) => this.#meters.waiting(length),
    });
  }

  get queued(): number {
    return this.#line.length;
  }

  admit(request: GatewayRequest): GatewayRequest | Answer | Promise<GatewayRequest | Answer> {
    const turn = this.#line.enter(request.signal);
    if (turn === "in") return this.#letIn(request);
    if (!isPromise(turn)) return this.#refuse(turn);
    const end = beginPhase(request.exchange, "queue");
    const begunMs = performance.now();
    return turn.then(
      (outcome) => {
        end();
        this.#meters.waited((performance.now() - begunMs) / 1_000);
        return outcome === "in" ? this.#letIn(request) : this.#refuse(outcome);
      },
      (error: unknown) => {
        end(error);
        throw error;
      },
    );
  }

  close(): void {
    this.#line.close();
  }

  #letIn(request: GatewayRequest): GatewayRequest {
    this.running++;
    this.#meters.running(1);
    request.exchange.onEnd(this.#leave);
    return request;
  }

  readonly #leave = (): void => {
    this.running--;
    this.#meters.running(-1);
    this.#permits.give();
  };

  #refuse(why: Refusal): Answer {
    this.#meters.refused(why);
    return busy;
  }
}

let named = 0;

function nextName(): string {
  named++;
  return named === 1 ? "requests" : `requests-${named}`;
}

function checkCount(name: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least)) throw unfit(name, value, `a whole number from ${least} on`);
}

function unfit(name: string, found: unknown, expected: string): GatewayError {
  return new GatewayError(
    "GW_CONCURRENCY",
    500,
    `limitConcurrency: ${name}: expected ${expected}, found ${String(found)}`,
  );
}
