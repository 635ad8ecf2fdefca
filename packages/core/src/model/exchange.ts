// One request and its answer, seen as one event: what outlives the copies of the request.

import type { HeaderList } from "./headers.ts";
import type { Logger } from "./log.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { HttpRequest } from "./request.ts";
import type { Answer } from "./response.ts";

/** How an exchange ended. */
export interface Outcome {
  /** Status that was sent, or would have been had the peer stayed; a socket's is 101 once accepted. */
  readonly status: number;
  /** Body bytes handed to the peer, before any transfer coding. */
  readonly bytesSent: number;
  /** `"sent"`: whole. `"cut"`: broken off by us or by the app. `"gone"`: the peer left first. */
  readonly result: "sent" | "cut" | "gone";
  /** The error behind `"cut"`, or the one that became a 5xx answer; else `null`. */
  readonly error: unknown;
}

/** One object per exchange, shared by all copies of its request. */
export interface Exchange {
  /** Unique id, made on first use. */
  readonly id: string;
  /** Logger that names the exchange. */
  readonly log: Logger;
  /** Limit of the request body in bytes; settable by mounts and layers until the body is first read (R-H7). */
  maxBodyBytes: number;
  /** Sends a 103 Early Hints head (RFC 8297). Absent where the carrier cannot. */
  inform?(headers: HeaderList): void;
  /**
   * Runs a request through the whole gateway again: local redirects, X-Accel-Redirect.
   *
   * @throws GatewayError `GW_DISPATCH_DEPTH` beyond 10 deep (R-C8).
   */
  dispatch(request: HttpRequest): MaybePromise<Answer>;
  /** Calls the function once when the exchange has ended, however it ended; sockets too. Errors are logged. */
  onEnd(fn: (outcome: Outcome) => MaybePromise<void>): void;
}
