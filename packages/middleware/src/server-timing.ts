// Where an answer's time went, for the browser's developer tools (W3C Server Timing).
import {
  GatewayError,
  type GatewayRequest,
  isPromise,
  isToken,
  layer,
  type Middleware,
  type RequestHead,
  type StateKey,
  stateKey,
} from "@gw/core";
import { quoted } from "./auth/parameters.ts";

/** Settings of `serverTiming`. */
export interface ServerTimingOptions {
  /** Name of the time of everything inside. @default "app" */
  name?: string;
  /** Which requests get the field. Risk: times tell of what happens inside. @default all */
  when?: (request: GatewayRequest) => boolean;
}

/** Adds times to an answer. */
export interface Timings {
  /** Adds one time, in milliseconds; the name is a token, the description printable ASCII. */
  add(name: string, durationMs: number, description?: string): void;
  /** Runs a function, sync or async, and adds its time; an error passes. */
  measure<T>(name: string, run: () => T): T;
}

class Times implements Timings {
  readonly startedMs: number = performance.now();
  readonly entries: string[] = [];

  add(name: string, durationMs: number, description?: string): void {
    if (!isToken(name) || (description !== undefined && !/^[\u0020-\u007e]*$/.test(description))) {
      throw new GatewayError(
        "GW_SERVER_TIMING",
        500,
        `a time's name is a token, its description printable ASCII: ${name}`,
      );
    }
    const said = description === undefined ? "" : `;desc=${quoted(description)}`;
    this.entries.push(`${name}${said};dur=${Math.round(durationMs * 1_000) / 1_000}`);
  }

  measure<T>(name: string, run: () => T): T {
    const startedMs = performance.now();
    const done = (): void => this.add(name, performance.now() - startedMs);
    let result: T;
    try {
      result = run();
    } catch (error) {
      done();
      throw error;
    }
    if (isPromise(result)) void result.then(done, done);
    else done();
    return result;
  }
}

const key: StateKey<Times> = stateKey("gw.server-timing");
const nobody: Timings = { add() {}, measure: (_name, run) => run() };

/** Adds `Server-Timing` to responses: the time to the head of the answer, and what the app added with `timingsOf`. */
export function serverTiming({ name = "app", when = () => true }: ServerTimingOptions = {}): Middleware {
  return layer({
    name: "serverTiming",
    onRequest: (request) => (when(request) ? { ...request, state: request.state.with(key, new Times()) } : request),
    onResponse(answer, request) {
      const times = request.state.get(key);
      if (times === undefined || answer.kind === "accept") return answer;
      times.add(name, performance.now() - times.startedMs);
      return { ...answer, headers: answer.headers.append("Server-Timing", times.entries.join(", ")) };
    },
  });
}

/** The times of this answer; without the layer, or after the head, what is added goes nowhere. */
export function timingsOf(request: RequestHead): Timings {
  return request.state.get(key) ?? nobody;
}
