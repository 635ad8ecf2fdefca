// The limits of concurrency of a gateway, as its metrics have them: what all processes count, added up. Pure.
import { labelsOf, type MetricFamily, parseExposition } from "./exposition.ts";

/** A limit of concurrency at one moment. */
export interface LimitStatus {
  /** `"gateway"`, the place of a mount, or the name that a layer has. */
  readonly name: string;
  /** Requests at once, of all processes together. */
  readonly limit: number;
  readonly running: number;
  /** Requests that may wait, of all processes together. */
  readonly maxQueued: number;
  readonly queued: number;
  /** Requests that were answered 503, because too many waited or for too long. */
  readonly refused: number;
}

/** Reads the limits out of the metrics of a gateway; empty: it has none. */
export function limitStatuses(metrics: string): readonly LimitStatus[] {
  const families = new Map(parseExposition(metrics).map((family) => [family.name, family]));
  const permits = sumsBy("name", families.get("gw_permits"));
  const running = sumsBy("limit", families.get("gw_concurrency_running"));
  const waiting = sumsBy("limit", families.get("gw_concurrency_waiting"));
  const refused = sumsBy("limit", families.get("gw_concurrency_refused_total"));
  return [...running].map(([name, count]) => ({
    name,
    limit: permits.get(name) ?? 0,
    running: count,
    maxQueued: permits.get(`${name} queue`) ?? 0,
    queued: waiting.get(name) ?? 0,
    refused: refused.get(name) ?? 0,
  }));
}

function sumsBy(label: string, family: MetricFamily | undefined): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [sample, value] of family?.samples ?? []) {
    const name = labelsOf(sample)[label] ?? "";
    sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return sums;
}
