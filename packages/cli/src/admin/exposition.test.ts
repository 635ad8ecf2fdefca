import { createMetrics } from "@gw/core";
import { expect, test } from "vitest";
import { labelsOf, mergeExpositions, parseExposition } from "./exposition.ts";

function registry(requests: number, inFlight: number, seconds: number): string {
  const metrics = createMetrics();
  metrics.counter({ name: "requests_total", help: "Exchanges." }).add(requests, { path: 'a "b"\n\\c' });
  metrics.gauge({ name: "in_flight", help: "Now." }).set(inFlight);
  metrics.histogram({ name: "seconds", help: "Times.", buckets: [0.1, 1] }).observe(seconds, { method: "GET" });
  return metrics.toText();
}

test("reads what a registry writes, and writes the same", () => {
  const text = registry(3, 2, 0.5);
  expect(mergeExpositions([text])).toBe(text);
  const [requests] = parseExposition(text);
  expect(requests).toMatchObject({ name: "requests_total", help: "Exchanges.", type: "counter" });
  expect(labelsOf([...(requests?.samples.keys() ?? [])][0] as string)).toEqual({ path: 'a "b"\n\\c' });
});

test("adds up counters, gauges and buckets over processes", () => {
  const merged = mergeExpositions([registry(3, 2, 0.5), registry(4, 1, 0.05)]);
  const sums = Object.fromEntries(parseExposition(merged).flatMap(({ samples }) => [...samples]));
  expect(sums).toMatchObject({
    in_flight: 3,
    'seconds_bucket{method="GET",le="0.1"}': 1,
    'seconds_bucket{method="GET",le="1"}': 2,
    'seconds_bucket{method="GET",le="+Inf"}': 2,
    'seconds_count{method="GET"}': 2,
  });
  expect(Object.values(sums)[0]).toBe(7);
});

test("of processes that have ended, what was counted counts on, how things were does not", () => {
  const merged = mergeExpositions([registry(1, 1, 5)], [registry(10, 9, 5)]);
  expect(merged).toContain("} 11\n");
  expect(merged).toContain("in_flight 1\n");
});
