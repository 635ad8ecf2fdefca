import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("writes counters, gauges and histograms in the Prometheus text format 0.0.4", () => {
  const metrics = createMetrics();
  const requests = metrics.counter({ name: "gw_requests_total", help: "Requests." });
  requests.add(1, { method: "GET", status: "200" });
  requests.add(2, { status: "200", method: "GET" });
  requests.add(1, { method: "POST", status: "500" });
  const open = metrics.gauge({ name: "gw_open", help: "Open." });
  open.set(5);
  open.add(-2);
  const time = metrics.histogram({ name: "gw_seconds", help: "Time.", buckets: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 3]) time.observe(value, { route: "/" });
  expect(metrics.toText()).toBe(`# HELP gw_requests_total Requests.
# TYPE gw_requests_total counter
gw_requests_total{method="GET",status="200"} 3
gw_requests_total{method="POST",status="500"} 1
# HELP gw_open Open.
# TYPE gw_open gauge
gw_open 3
# HELP gw_seconds Time.
# TYPE gw_seconds histogram
gw_seconds_bucket{route="/",le="0.1"} 2
gw_seconds_bucket{route="/",le="1"} 3
gw_seconds_bucket{route="/",le="+Inf"} 4
gw_seconds_sum{route="/"} 3.65
gw_seconds_count{route="/"} 4
`);
});

test("escapes label values and help texts", () => {
  const metrics = createMetrics();
  metrics.counter({ name: "a_total", help: "back\\slash\nline" }).add(1, { path: 'a"b\\c\nd' });
  expect(metrics.toText()).toBe(
    '# HELP a_total back\\\\slash\\nline\n# TYPE a_total counter\na_total{path="a\\"b\\\\c\\nd"} 1\n',
  );
});

test("withLabels gives the sample of one label set: the same one that labels name", () => {
  const metrics = createMetrics();
  const counter = metrics.counter({ name: "a_total", help: "A." });
  const get = counter.withLabels({ method: "GET" });
  get.add();
  counter.add(1, { method: "GET" });
  metrics.gauge({ name: "b", help: "B." }).withLabels({ x: "1" }).set(2);
  metrics.histogram({ name: "c", help: "C.", buckets: [] }).withLabels({ x: "1" }).observe(2);
  expect(metrics.toText()).toContain('a_total{method="GET"} 2\n');
  expect(metrics.toText()).toContain('b{x="1"} 2\n');
  expect(metrics.toText()).toContain('c_bucket{x="1",le="+Inf"} 1\nc_sum{x="1"} 2\nc_count{x="1"} 1\n');
});

test("asking twice for one name gives the same metric; as another type it is refused", () => {
  const metrics = createMetrics();
  const options = { name: "a_total", help: "A." };
  expect(metrics.counter(options)).toBe(metrics.counter(options));
  expect(() => metrics.gauge(options)).toThrow(expect.objectContaining({ code: "GW_METRIC" }));
});

test.each(["", "1a", "a-b", "a b", "é"])("the metric name %j is refused", (name) => {
  expect(() => createMetrics().counter({ name, help: "" })).toThrow(expect.objectContaining({ code: "GW_METRIC" }));
});

test.each(["", "1a", "a-b", "__a", "le:"])("the label name %j is refused", (name) => {
  const counter = createMetrics().counter({ name: "a", help: "" });
  expect(() => counter.add(1, { [name]: "x" })).toThrow(expect.objectContaining({ code: "GW_METRIC" }));
});

test("a counter only grows; buckets ascend", () => {
  const metrics = createMetrics();
  expect(() => metrics.counter({ name: "a", help: "" }).add(-1)).toThrow("only grows");
  expect(() => metrics.counter({ name: "a", help: "" }).add(Number.NaN)).toThrow("only grows");
  expect(() => metrics.histogram({ name: "b", help: "", buckets: [1, 1] })).toThrow("ascend");
});
