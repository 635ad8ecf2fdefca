// The metrics of exchanges, by place: every sample is looked up once and then only added to.
import type { MetricLabels, Metrics, PhaseWatcher } from "@gw/core";

/** Adds to a sample. */
interface Adder {
  add(by?: number): void;
}

/** Takes a value into a histogram. */
interface Observer {
  observe(value: number): void;
}

/** Samples of exchanges that ended alike. */
export interface EndMeters {
  readonly requests: Adder;
  readonly received: Adder;
  readonly sent: Adder;
}

/** Inputs of Meters. */
export interface MetersOptions {
  prefix?: string;
  buckets?: readonly number[];
  /** Places that are there from the beginning. */
  labels?: readonly string[];
}

type Families = Readonly<Record<"requests" | "received" | "sent", ReturnType<Metrics["counter"]>>> &
  Readonly<Record<"inFlight" | "waiting", ReturnType<Metrics["gauge"]>>> &
  Readonly<Record<"durations" | "waits", ReturnType<Metrics["histogram"]>>>;

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** From what a connection on this machine takes to the longest that a queue lets wait. */
const WAIT_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** The metrics of one layer. */
export class Meters {
  readonly #families: Families;
  readonly #places: Map<string | undefined, PlaceMeters> = new Map();

  constructor(registry: Metrics, { prefix = "gw_http", buckets = BUCKETS, labels = [] }: MetersOptions) {
    const named = (name: string, help: string): { name: string; help: string } => ({ name: `${prefix}_${name}`, help });
    this.#families = {
      requests: registry.counter(named("requests_total", "Exchanges that have ended.")),
      received: registry.counter(named("request_bytes_total", "Bytes of requests' bodies that were read.")),
      sent: registry.counter(named("response_bytes_total", "Bytes of answers' bodies.")),
      durations: registry.histogram({
        ...named("request_duration_seconds", "Time from the request to the end of its answer."),
        buckets,
      }),
      inFlight: registry.gauge(named("requests_in_flight", "Exchanges that have not ended.")),
      waiting: registry.gauge(
        named("requests_waiting", "Exchanges that wait at this moment: in a queue, for a program, for a connection."),
      ),
      waits: registry.histogram({
        ...named(
          "wait_seconds",
          "Time that exchanges waited, those that did: in a queue, for a program, a connection.",
        ),
        buckets: WAIT_BUCKETS,
      }),
    };
    for (const label of labels) this.place(label);
  }

  /** The meters of a value of `app`; `undefined`: of all. */
  place(app: string | undefined): PlaceMeters {
    let place = this.#places.get(app);
    if (place === undefined) {
      place = new PlaceMeters(this.#families, app === undefined ? {} : { app });
      this.#places.set(app, place);
    }
    return place;
  }
}

/** The metrics of one place. */
export class PlaceMeters {
  /** Exchanges that have not ended. */
  readonly inFlight: Adder;
  /** Counts what an exchange waits for. */
  readonly watcher: PhaseWatcher;
  readonly #families: Families;
  readonly #labels: MetricLabels;
  readonly #ended: Map<string, EndMeters> = new Map();
  readonly #times: Map<string, Observer> = new Map();

  constructor(families: Families, labels: MetricLabels) {
    this.#families = families;
    this.#labels = labels;
    this.inFlight = families.inFlight.withLabels(labels);
    this.inFlight.add(0);
    families.waiting.add(0, { ...labels, phase: "queue" });
    const phases = new Map<string, { waiting: Adder; waits: Observer }>();
    this.watcher = (phase) => {
      let meters = phases.get(phase);
      if (meters === undefined) {
        const own = { ...labels, phase };
        meters = { waiting: families.waiting.withLabels(own), waits: families.waits.withLabels(own) };
        phases.set(phase, meters);
      }
      return timed(meters);
    };
  }

  /** Samples of exchanges that end like this. */
  ended(method: string, status: number, result: string): EndMeters {
    const name = `${method} ${status} ${result}`;
    let meters = this.#ended.get(name);
    if (meters === undefined) {
      const labels = { ...this.#labels, method, status: String(status), result };
      const { requests, received, sent } = this.#families;
      meters = {
        requests: requests.withLabels(labels),
        received: received.withLabels(labels),
        sent: sent.withLabels(labels),
      };
      this.#ended.set(name, meters);
    }
    return meters;
  }

  /** How long exchanges of a method take. */
  times(method: string): Observer {
    let times = this.#times.get(method);
    if (times === undefined) {
      times = this.#families.durations.withLabels({ ...this.#labels, method });
      this.#times.set(method, times);
    }
    return times;
  }
}

/** Counts one wait; the end counts once. */
function timed({ waiting, waits }: { readonly waiting: Adder; readonly waits: Observer }): () => void {
  const startedMs = performance.now();
  let isOver = false;
  waiting.add(1);
  return () => {
    if (isOver) return;
    isOver = true;
    waiting.add(-1);
    waits.observe((performance.now() - startedMs) / 1_000);
  };
}
