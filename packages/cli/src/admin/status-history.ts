// The last two minutes of a gateway in numbers, for the charts of the status page.
import type { GatewayControl } from "./control.ts";
import { labelsOf, type MetricFamily, parseExposition } from "./exposition.ts";
import { sumOf, type WholeStatus, wholeStatus } from "./mount-status.ts";

/** Numbers of one mount, or of everything (`where: null`). */
export interface TrafficView {
  /** The mount; `null`: all of them. */
  readonly where: string | null;
  /** Exchanges per second, oldest first. */
  readonly rates: readonly number[];
  /** Exchanges that waited at each of these moments, oldest first. */
  readonly waits: readonly number[];
  /** Exchanges that have ended. */
  readonly requests: number;
  /** Those answered with 5xx. */
  readonly failed: number;
  /** Times in seconds below which half and 99 % of the exchanges ended; `null`: none yet. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Time in seconds below which 99 % of those that waited had waited; `null`: none has. */
  readonly waited99: number | null;
  /** Exchanges by upper bound of their time in seconds. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

/** A backend's processes over time, all backends of its name together. */
export interface BackendView {
  readonly wanted: number;
  readonly restarts: number;
  /** How long its processes took to get ready on the average, seconds; `null`: none has. */
  readonly startSeconds: number | null;
}

/** What the page shows. */
export interface StatusView {
  readonly status: WholeStatus;
  /** Of everything first. */
  readonly traffic: readonly TrafficView[];
  readonly backends: ReadonlyMap<string, BackendView>;
}

type Labels = Readonly<Record<string, string>>;
type Families = Readonly<Record<string, MetricFamily | undefined>>;

/** Samples are shared by all who look within this time. */
const FRESH_MS = 1_000;
const KEPT_MS = 120_000;
/** How often a sample is taken while nobody looks, so that who comes sees what was. */
const ALONE_MS = 5_000;
/** A process that stood still has no history of that time. */
const GAP_MS = 20_000;

interface Sample {
  readonly at: number;
  readonly total: number;
  readonly waiting: number;
}

/** Takes samples: when somebody looks, and between `begin` and `end` also by itself. */
export class StatusHistory {
  readonly #control: GatewayControl;
  readonly #now: () => number;
  readonly #samples = new Map<string, Sample[]>();
  #lastAt = 0;
  #last: Promise<StatusView> | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param now a clock, milliseconds */
  constructor(control: GatewayControl, now: () => number = () => performance.now()) {
    this.#control = control;
    this.#now = now;
  }

  /** The view of now; those who look at the same moment share it. */
  look(): Promise<StatusView> {
    const now = this.#now();
    if (this.#last === null || now - this.#lastAt > FRESH_MS) {
      this.#lastAt = now;
      this.#last = this.#sample(now);
    }
    return this.#last;
  }

  /** Begins to remember. */
  begin(): void {
    this.#timer = setInterval(() => this.look().catch(() => {}), ALONE_MS); // whoever looks is told
    this.#timer.unref();
  }

  /** Ends it. */
  end(): void {
    clearInterval(this.#timer);
  }

  async #sample(at: number): Promise<StatusView> {
    const [status, text] = await Promise.all([this.#control.status(), this.#control.metrics()]);
    const list = parseExposition(text);
    const families: Families = Object.fromEntries(list.map((family) => [family.name, family]));
    const whole = wholeStatus(status, list);
    const places = placesOf(whole, families);
    for (const key of [...this.#samples.keys()]) if (key !== "" && !places.includes(key)) this.#samples.delete(key);
    const traffic = [null, ...places].map((where) => this.#view(where, families, at));
    return { status: whole, traffic, backends: backendViews(families) };
  }

  #view(where: string | null, families: Families, at: number): TrafficView {
    const isMine = (labels: Labels): boolean => where === null || labels.app === where;
    const total = sumOf(families.gw_http_requests_total, isMine);
    const waiting = sumOf(families.gw_http_requests_waiting, isMine);
    const buckets = bucketsOf(families.gw_http_request_duration_seconds, isMine);
    const samples = this.#remember(where ?? "", { at, total, waiting });
    return {
      where,
      rates: ratesOf(samples),
      waits: samples.map((sample) => sample.waiting),
      requests: total,
      failed: sumOf(
        families.gw_http_requests_total,
        (labels) => isMine(labels) && labels.status?.startsWith("5") === true,
      ),
      p50: quantile(buckets, 0.5),
      p99: quantile(buckets, 0.99),
      waited99: quantile(bucketsOf(families.gw_http_wait_seconds, isMine), 0.99),
      buckets,
    };
  }

  #remember(key: string, sample: Sample): readonly Sample[] {
    const before = this.#samples.get(key) ?? [];
    const isTorn = sample.at - (before.at(-1)?.at ?? sample.at) > GAP_MS;
    const kept = isTorn ? [] : before.filter(({ at }) => sample.at - at <= KEPT_MS);
    const samples = [...kept, sample];
    this.#samples.set(key, samples);
    return samples;
  }
}

/** The mounts, and where requests went that are in none; all that was counted if the apps are not known. */
function placesOf({ description, mounts }: WholeStatus, { gw_http_requests_total: requests }: Families): string[] {
  const counted = new Set([...(requests?.samples.keys() ?? [])].flatMap((sample) => labelsOf(sample).app ?? []));
  const known = mounts.map(({ where }) => where);
  return description === null ? [...counted].sort() : known;
}

function ratesOf(samples: readonly Sample[]): readonly number[] {
  return samples.slice(1).map(({ at, total }, index) => {
    const before = samples[index] as Sample;
    return Math.max(0, total - before.total) / Math.max(0.001, (at - before.at) / 1_000);
  });
}

function backendViews(families: Families): ReadonlyMap<string, BackendView> {
  const views = new Map<string, BackendView>();
  for (const [sample, wanted] of families.gw_backend_processes_wanted?.samples ?? []) {
    const name = labelsOf(sample).backend ?? "";
    const isMine = (labels: Labels): boolean => labels.backend === name;
    views.set(name, {
      wanted,
      restarts: sumOf(families.gw_backend_restarts_total, isMine),
      startSeconds: averageOf(families.gw_backend_start_seconds, isMine),
    });
  }
  return views;
}

function averageOf(family: MetricFamily | undefined, isMine: (labels: Labels) => boolean): number | null {
  let [sum, count] = [0, 0];
  for (const [sample, value] of family?.samples ?? []) {
    if (!isMine(labelsOf(sample))) continue;
    if (sample.includes("_sum{")) sum += value;
    if (sample.includes("_count{")) count += value;
  }
  return count === 0 ? null : sum / count;
}

/** Exchanges per bucket (not cumulative), ascending. */
function bucketsOf(
  family: MetricFamily | undefined,
  isMine: (labels: Labels) => boolean,
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
