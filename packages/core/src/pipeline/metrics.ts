// Counters, gauges and histograms of this process, in the Prometheus text format 0.0.4.
import type { Counter, Gauge, Histogram, MetricLabels, MetricOptions, Metrics } from "../model/context.ts";
import { GatewayError } from "../model/errors.ts";

/**
 * A registry of metrics. Asking twice for one name gives the same metric.
 *
 * `metric.withLabels(labels)` gives the metric of one label set: look it up
 * once and adding to it is one addition.
 *
 * @throws GatewayError `GW_METRIC` from `counter`, `gauge`, `histogram`: a bad name, or a name taken by another type.
 */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const family = <F extends Family>(options: MetricOptions, type: Family["type"], create: () => F): F => {
    const found = families.get(options.name);
    if (found !== undefined) {
      if (found.type === type) return found as F;
      throw new GatewayError("GW_METRIC", 500, `metric ${options.name} is a ${found.type}, asked for as a ${type}`);
    }
    if (!METRIC_NAME.test(options.name)) {
      throw new GatewayError("GW_METRIC", 500, `expected a metric name, found ${JSON.stringify(options.name)}`);
    }
    const created = create();
    families.set(options.name, created);
    return created;
  };
  return {
    counter: (options) => family(options, "counter", () => new NumberFamily(options, "counter")),
    gauge: (options) => family(options, "gauge", () => new NumberFamily(options, "gauge")),
    histogram: (options) => family(options, "histogram", () => new HistogramFamily(options, options.buckets)),
    toText: () => [...families.values()].map((one) => one.toText()).join(""),
  };
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Samples of one name, one per label set. */
abstract class Family {
  readonly type: "counter" | "gauge" | "histogram";
  protected readonly name: string;
  readonly #help: string;

  constructor({ name, help }: MetricOptions, type: Family["type"]) {
    this.name = name;
    this.#help = help;
    this.type = type;
  }

  toText(): string {
    return `# HELP ${this.name} ${escapeHelp(this.#help)}\n# TYPE ${this.name} ${this.type}\n${this.samples()}`;
  }

  protected abstract samples(): string;
}

class NumberFamily extends Family implements Counter, Gauge {
  readonly #cells: Cells<NumberCell>;

  constructor(options: MetricOptions, type: "counter" | "gauge") {
    super(options, type);
    this.#cells = new Cells(() => new NumberCell(type === "counter"));
  }

  withLabels(labels: MetricLabels): NumberCell {
    return this.#cells.get(labels);
  }

  add(by = 1, labels: MetricLabels = NO_LABELS): void {
    this.#cells.get(labels).add(by);
  }

  set(value: number, labels: MetricLabels = NO_LABELS): void {
    this.#cells.get(labels).set(value);
  }

  protected samples(): string {
    return this.#cells.map((labels, cell) => `${this.name}${braced(labels)} ${formatNumber(cell.value)}\n`);
  }
}

class NumberCell {
  value = 0;
  readonly #onlyGrows: boolean;

  constructor(onlyGrows: boolean) {
    this.#onlyGrows = onlyGrows;
  }

  add(by = 1): void {
    if (this.#onlyGrows && !(by >= 0))
      throw new GatewayError("GW_METRIC", 500, `a counter only grows, asked to add ${by}`);
    this.value += by;
  }

  set(value: number): void {
    this.value = value;
  }
}

class HistogramFamily extends Family implements Histogram {
  readonly #cells: Cells<HistogramCell>;
  readonly #bounds: readonly number[];

  constructor(options: MetricOptions, buckets: readonly number[]) {
    super(options, "histogram");
    if (buckets.some((bound, at) => Number.isNaN(bound) || bound <= (buckets[at - 1] ?? Number.NEGATIVE_INFINITY))) {
      throw new GatewayError("GW_METRIC", 500, `buckets of ${options.name} must ascend, found ${buckets.join(", ")}`);
    }
    this.#bounds = buckets;
    this.#cells = new Cells(() => new HistogramCell(buckets));
  }

  withLabels(labels: MetricLabels): HistogramCell {
    return this.#cells.get(labels);
  }

  observe(value: number, labels: MetricLabels = NO_LABELS): void {
    this.#cells.get(labels).observe(value);
  }

  protected samples(): string {
    return this.#cells.map((labels, cell) => {
      let total = 0;
      const lines = this.#bounds.map((bound, at) => {
        total += cell.counts[at] as number;
        return `${this.name}_bucket${braced(labels, `le="${formatNumber(bound)}"`)} ${total}\n`;
      });
      const all = total + (cell.counts[this.#bounds.length] as number);
      lines.push(`${this.name}_bucket${braced(labels, 'le="+Inf"')} ${all}\n`);
      lines.push(
        `${this.name}_sum${braced(labels)} ${formatNumber(cell.sum)}\n`,
        `${this.name}_count${braced(labels)} ${all}\n`,
      );
      return lines.join("");
    });
  }
}

class HistogramCell {
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
  }
}

const NO_LABELS: MetricLabels = {};

/** One cell per label set, found by its text. */
class Cells<C> {
  readonly #create: () => C;
  readonly #cells: Map<string, C> = new Map();

  constructor(create: () => C) {
    this.#create = create;
  }

  get(labels: MetricLabels): C {
    const text = labelText(labels);
    let cell = this.#cells.get(text);
    if (cell === undefined) {
      cell = this.#create();
      this.#cells.set(text, cell);
    }
    return cell;
  }

  map(line: (labels: string, cell: C) => string): string {
    return [...this.#cells].map(([labels, cell]) => line(labels, cell)).join("");
  }
}

/** `method="GET",status="200"`, names sorted so that one set has one text. */
function labelText(labels: MetricLabels): string {
  if (labels === NO_LABELS) return "";
  return Object.keys(labels)
    .sort()
    .map((name) => {
      if (!LABEL_NAME.test(name))
        throw new GatewayError("GW_METRIC", 500, `expected a label name, found ${JSON.stringify(name)}`);
      return `${name}="${escapeLabel(labels[name] as string)}"`;
    })
    .join(",");
}

function braced(labels: string, more = ""): string {
  const all = labels !== "" && more !== "" ? `${labels},${more}` : labels + more;
  return all === "" ? "" : `{${all}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
