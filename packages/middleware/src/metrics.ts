// Numbers about exchanges, in the registry of the gateway.
import {
  type AppContext,
  createMetrics,
  type GatewayRequest,
  layer,
  type Metrics,
  type Middleware,
  type Outcome,
} from "@gw/core";

/** Settings of `metrics`. */
export interface MetricsOptions {
  /** Beginning of the names. @default "gw_http" */
  prefix?: string;
  /** Upper bounds of the duration's buckets, seconds. @default 5 ms to 10 s */
  buckets?: readonly number[];
  /** A further label, `app`: few values, chosen by you and never by a client. @default none */
  label?: (request: GatewayRequest) => string;
}

/** Methods that get a label of their own; clients could make up any number of others. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]);
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Counts exchanges when they have ended, sockets too: `…_requests_total` and `…_response_bytes_total` by method, status
 * and result (`sent`, `cut`, `gone`), `…_request_duration_seconds` by method, and `…_requests_in_flight`.
 *
 * Put it outermost. The command shows the registry; elsewhere it is `context.metrics.toText()`.
 */
export function metrics(options: MetricsOptions = {}): Middleware {
  let meters = new Meters(createMetrics(), options);
  return layer({
    name: "metrics",
    oncePerExchange: true,
    start(context: AppContext) {
      meters = new Meters(context.metrics, options);
    },
    onRequest(request) {
      const end = meters.begin(request);
      request.exchange.onEnd(end);
      return request;
    },
  });
}

interface Cell {
  readonly requests: { add(by?: number): void };
  readonly bytes: { add(by?: number): void };
}

/** The metrics of one layer, their samples looked up once. */
class Meters {
  readonly #label: MetricsOptions["label"];
  readonly #requests: ReturnType<Metrics["counter"]>;
  readonly #bytes: ReturnType<Metrics["counter"]>;
  readonly #durations: ReturnType<Metrics["histogram"]>;
  readonly #inFlight: ReturnType<ReturnType<Metrics["gauge"]>["withLabels"]>;
  readonly #cells: Map<string, Cell> = new Map();
  readonly #times: Map<string, { observe(value: number): void }> = new Map();

  constructor(registry: Metrics, { prefix = "gw_http", buckets = BUCKETS, label }: MetricsOptions) {
    this.#label = label;
    this.#requests = registry.counter({ name: `${prefix}_requests_total`, help: "Exchanges that have ended." });
    this.#bytes = registry.counter({ name: `${prefix}_response_bytes_total`, help: "Bytes of answers' bodies." });
    const help = "Time from the request to the end of its answer.";
    this.#durations = registry.histogram({ name: `${prefix}_request_duration_seconds`, help, buckets });
    this.#inFlight = registry
      .gauge({ name: `${prefix}_requests_in_flight`, help: "Exchanges that have not ended." })
      .withLabels({});
  }

  begin(request: GatewayRequest): (outcome: Outcome) => void {
    const startedMs = performance.now();
    const method = METHODS.has(request.method) ? request.method : "other";
    const app = this.#label?.(request);
    this.#inFlight.add(1);
    return ({ status, result, bytesSent }) => {
      this.#inFlight.add(-1);
      const { requests, bytes } = this.#cellOf(method, status, result, app);
      requests.add(1);
      bytes.add(bytesSent);
      this.#timesOf(request.kind === "websocket" ? "websocket" : method, app).observe(
        (performance.now() - startedMs) / 1_000,
      );
    };
  }

  #cellOf(method: string, status: number, result: string, app: string | undefined): Cell {
    const name = `${method} ${status} ${result} ${app}`;
    let cell = this.#cells.get(name);
    if (cell === undefined) {
      const labels = { method, status: String(status), result, ...(app !== undefined && { app }) };
      cell = { requests: this.#requests.withLabels(labels), bytes: this.#bytes.withLabels(labels) };
      this.#cells.set(name, cell);
    }
    return cell;
  }

  #timesOf(method: string, app: string | undefined): { observe(value: number): void } {
    const name = `${method} ${app}`;
    let time = this.#times.get(name);
    if (time === undefined) {
      time = this.#durations.withLabels({ method, ...(app !== undefined && { app }) });
      this.#times.set(name, time);
    }
    return time;
  }
}
