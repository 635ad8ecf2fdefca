import { type App, createMetrics, describeApp, gateway, layer, text, toApp } from "@gw/core";
import { expect, test } from "vitest";
import type { GatewayControl, GatewayStatus } from "./control.ts";
import { StatusHistory } from "./status-history.ts";
import { statusBody, statusPage, statusPolicy } from "./status-page.ts";

const status: GatewayStatus = {
  version: "1.0.0",
  pid: 10,
  startedAt: Date.now() - 3 * 3_600_000,
  isReady: true,
  addresses: ["http://127.0.0.1:8000"],
  workers: [
    { pid: 11, state: "ready", startedAt: 0, generation: 2, rssBytes: 80e6, requests: 7, inFlight: 1, loopDelayMs: 3 },
  ],
  backends: [{ name: "php <1>", state: "failed", error: "exited with <code> 1", processes: [] }],
  description: null,
  status: null,
  limits: [],
  drained: ["/drained"],
  errors: [{ at: 0, level: "error", message: "<script>alert(1)</script>", pid: 11, times: 28 }],
};

function controlWith(metrics: ReturnType<typeof createMetrics>): GatewayControl {
  return { status: async () => status, metrics: async () => metrics.toText() } as unknown as GatewayControl;
}

test("counts by mount, failures, and the times that half and 99 % stay below", async () => {
  const metrics = createMetrics();
  const requests = metrics.counter({ name: "gw_http_requests_total", help: "" });
  const times = metrics.histogram({ name: "gw_http_request_duration_seconds", help: "", buckets: [0.01, 0.1, 1] });
  for (let at = 0; at < 100; at++) times.observe(at < 60 ? 0.005 : at < 99 ? 0.05 : 5, { app: "/a", method: "GET" });
  requests.add(90, { app: "/a", method: "GET", status: "200", result: "sent" });
  requests.add(10, { app: "/a", method: "GET", status: "502", result: "sent" });
  requests.add(5, { app: "/drained", method: "GET", status: "503", result: "sent" });
  const { traffic } = await new StatusHistory(controlWith(metrics)).look();
  expect(traffic.map(({ where, requests, failed }) => [where, requests, failed])).toEqual([
    [null, 105, 15],
    ["/a", 100, 10],
    ["/drained", 5, 5],
  ]);
  expect(traffic[1]).toMatchObject({ p50: 0.01, p99: 0.1 });
  expect(traffic[1]?.buckets.map(({ count }) => count)).toEqual([60, 39, 0, 1]);
});

test("the page escapes what comes from outside, and lets only its own style and script run", async () => {
  const metrics = createMetrics();
  metrics
    .counter({ name: "gw_http_requests_total", help: "" })
    .add(1, { app: "/<i>", method: "GET", status: "200", result: "sent" });
  const view = await new StatusHistory(controlWith(metrics)).look();
  const page = statusPage(view);
  for (const hostile of ["<script>alert", "/<i>", "<code> 1", "php <1>"]) expect(page).not.toContain(hostile);
  expect(page).toContain("&#60;script&#62;alert(1)");
  expect(page).toContain("28 times");
  expect(page).toContain("3 h");
  expect(statusPolicy).toMatch(/script-src 'sha256-[^']+'/);
  expect(statusBody(view)).not.toContain("\n"); // one line is one event
});

test("every mount is there before its first request, with the state of its app, wherever it is in the pipeline", async () => {
  const metrics = createMetrics();
  const waiting = metrics.gauge({ name: "gw_http_requests_waiting", help: "" });
  waiting.add(2, { app: "/php", phase: "queue" });
  waiting.add(1, { app: "/php", phase: "connect" });
  metrics
    .counter({ name: "gw_http_requests_total", help: "" })
    .add(4, { app: "/", method: "GET", status: "200", result: "sent" });
  const app = gateway()
    .use(layer({ name: "stamp" }))
    .mount("/php", {
      handle: () => text(""),
      describe: () => ({ kind: "php", name: "./www" }),
      status: () => ({ name: "php-fpm", state: "failed", error: "exited with <code> 1" }),
    })
    .mount("/drained", () => text(""))
    .run({ handle: () => text(""), status: () => ({ name: "rest", state: "degraded", error: null }) });
  const known = { ...status, description: app.describe?.() ?? null, status: app.status?.() ?? null };
  const control = { ...controlWith(metrics), status: async () => known };
  const view = await new StatusHistory(control).look();
  expect(view.status.mounts).toMatchObject([
    { where: "/", app: "app", state: "degraded", numbers: { requests: 4, waiting: 0 } },
    { where: "/drained", state: "ready", isDrained: true },
    { where: "/php", app: "php ./www", state: "failed", error: "exited with <code> 1", numbers: { waiting: 3 } },
  ]);
  const rows = statusBody(view).split("<tr>");
  const rowOf = (place: string): string | undefined => rows.find((row) => row.includes(`>${place}</code>`));
  expect(rowOf("/php")).toMatch(/class="state failed".*exited with &#60;code&#62; 1.*<td class="n warn">3<\/td>/);
  expect(rowOf("/drained")).toContain('class="state drained"');
});

test("an app alone is the mount /; with mounts only, what was for none of them is shown once it was asked for", async () => {
  const metrics = createMetrics();
  const requests = metrics.counter({ name: "gw_http_requests_total", help: "" });
  const placesOf = async (app: App): Promise<readonly string[]> => {
    const known = { ...status, description: describeApp(app), status: app.status?.() ?? null };
    const control = { ...controlWith(metrics), status: async () => known };
    return (await new StatusHistory(control).look()).status.mounts.map(({ where, app: what }) => `${where} ${what}`);
  };
  expect(await placesOf(toApp(() => text("")))).toEqual(["/ app"]);
  const mounts = gateway().mount("/a", () => text(""));
  requests.add(1, { app: "/a", method: "GET", status: "200", result: "sent" });
  expect(await placesOf(mounts)).toEqual(["/a app"]);
  requests.add(1, { app: "/", method: "GET", status: "404", result: "sent" });
  expect(await placesOf(mounts)).toEqual(["/ no app", "/a app"]);
});

test("rates are per second of the time that passed; a gap or two minutes are forgotten", async () => {
  const metrics = createMetrics();
  const requests = metrics.counter({ name: "gw_http_requests_total", help: "" });
  let now = 0;
  const history = new StatusHistory(controlWith(metrics), () => now);
  const rateAfter = async (seconds: number, count: number): Promise<readonly number[]> => {
    now += seconds * 1_000;
    requests.add(count, { app: "/a", method: "GET", status: "200", result: "sent" });
    return (await history.look()).traffic[0]?.rates ?? [];
  };
  expect(await rateAfter(10, 7)).toEqual([]);
  expect(await rateAfter(2, 10)).toEqual([5]);
  expect(await rateAfter(5, 10)).toEqual([5, 2]);
  expect(await rateAfter(600, 6_000)).toEqual([]); // nobody looked for ten minutes: no peak of two seconds
  for (let time = 0; time < 100; time++) await rateAfter(2, 4);
  const rates = await rateAfter(2, 4);
  expect([rates.length, new Set(rates)]).toEqual([60, new Set([2])]);
});

test("without metrics there are dashes, and the page is whole", async () => {
  const app = gateway().mount("/a", () => text(""));
  const known = { ...status, description: describeApp(app) };
  const control = { ...controlWith(createMetrics()), status: async () => known };
  const body = statusBody(await new StatusHistory(control).look());
  expect(body).toContain('<code class="place">/a</code>');
  expect(body).not.toMatch(/NaN|undefined|null|Infinity/);
});
