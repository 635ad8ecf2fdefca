// The last two minutes of a gateway in numbers, for the charts of the status page.
import type { GatewayControl, GatewayStatus } from "./control.ts";
import { labelsOf, type MetricFamily, parseExposition } from "./exposition.ts";

/** Numbers of one mount, or of everything (`where: null`). */
export interface TrafficView {
  /** The mount; `null`: all of them. */
  readonly where: string | null;
  /** Exchanges per second, oldest first. */
  readonly rates: readonly number[];
  /** Exchanges that have ended. */
  readonly requests: number;
  /** Those answered with 5xx. */
  readonly failed: number;
  /** Times in seconds below which half and 99 % of the exchanges ended; `null`: none yet. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Exchanges by upper bound of their time in seconds. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

/** What the page shows. */
export interface StatusView {
  readonly status: GatewayStatus;
  readonly traffic: readonly TrafficView[];
}

const EVERY_MS = 2_000;
const KEPT = 60;

/** Takes samples while somebody looks. */
export class StatusHistory {
  readonly #control: GatewayControl;
  readonly #counts = new Map<string, { at: number; counts: number[] }>();
  #lastAt = 0;
  #last: Promise<StatusView> | null = null;

  constructor(control: GatewayControl) {
    this.#control = control;
  }

  /** The view of now; those who look at the same moment share it. */
  look(): Promise<StatusView> {
    const now = performance.now();
    if (this.#last === null || now - this.#lastAt > EVERY_MS / 2) {
      this.#lastAt = now;
      this.#last = this.#sample();
    }
    return this.#last;
  }

  async #sample(): Promise<StatusView> {
    const [status, text] = await Promise.all([this.#control.status(), this.#control.metrics()]);
    const families = parseExposition(text);
    const requests = families.find(({ name }) => name === "gw_http_requests_total");
    const times = families.find(({ name }) => name === "gw_http_request_duration_seconds");
    const places = new Set([...(requests?.samples.keys() ?? [])].map((sample) => labelsOf(sample).app ?? ""));
    const all = this.#view(null, { requests, times });
    const mounts = [...places].filter((place) => place !== "").map((place) => this.#view(place, { requests, times }));
    return { status, traffic: [all, ...mounts.sort((a, b) => b.requests - a.requests)] };
  }

  #view(
    where: string | null,
    { requests, times }: Readonly<Record<"requests" | "times", MetricFamily | undefined>>,
  ): TrafficView {
    const isMine = (labels: Readonly<Record<string, string>>): boolean => where === null || labels.app === where;
    let [total, failed] = [0, 0];
    for (const [sample, value] of requests?.samples ?? []) {
      const labels = labelsOf(sample);
      if (!isMine(labels)) continue;
      total += value;
      if (labels.status?.startsWith("5")) failed += value;
    }
    const buckets = bucketsOf(times, isMine);
    return {
      where,
      rates: this.#rates(where ?? "", total),
      requests: total,
      failed,
      p50: quantile(buckets, 0.5),
      p99: quantile(buckets, 0.99),
      buckets,
    };
  }

  #rates(key: string, total: number): readonly number[] {
    const kept = this.#counts.get(key) ?? { at: 0, counts: [] };
    kept.counts = [...kept.counts, total].slice(-KEPT - 1);
    this.#counts.set(key, kept);
    return kept.counts
      .slice(1)
      .map((count, at) => Math.max(0, count - (kept.counts[at] as number)) / (EVERY_MS / 1_000));
  }
}

/** Exchanges per bucket (not cumulative), ascending. */
function bucketsOf(
  family: MetricFamily | undefined,
  isMine: (labels: Readonly<Record<string, string>>) => boolean,
): { le: number; count: number }[] {
  const cumulative = new Map<number, number>();
  for (const [sample, value] of family?.samples ?? []) {
    if (!sample.includes("_bucket{")) continue;
    const labels = labelsOf(sample);
    if (!isMine(labels)) continue;
    const le = Number((labels.le ?? "").replace("+Inf", "Infinity"));
    cumulative.set(le, (cumulative.get(le) ?? 0) + value);
  }
  const sorted = [...cumulative].sort(([a], [b]) => a - b);
  return sorted.map(([le, count], at) => ({ le, count: count - (sorted[at - 1]?.[1] ?? 0) }));
}

/** The upper bound of the bucket that holds a share of all, as `histogram_quantile` estimates it without interpolation. */
function quantile(buckets: readonly { le: number; count: number }[], share: number): number | null {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const { le, count } of buckets) {
    seen += count;
    if (seen >= total * share) return le;
  }
  return null;
}
