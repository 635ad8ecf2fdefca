import { createMetrics, gateway, layer, text } from "@gw/core";
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
  drained: ["/drained"],
  errors: [{ at: 0, level: "error", message: "<script>alert(1)</script>", pid: 11 }],
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
  expect(page).toContain("3 h");
  expect(statusPolicy).toMatch(/script-src 'sha256-[^']+'/);
  expect(statusBody(view)).not.toContain("\n"); // one line is one event
});

test("a mount has the state of its app, and how many requests wait for it, wherever it is in the pipeline", async () => {
  const metrics = createMetrics();
  const requests = metrics.counter({ name: "gw_http_requests_total", help: "" });
  for (const app of ["/php", "/cgi"]) requests.add(1, { app, method: "GET", status: "503", result: "sent" });
  const mounts = gateway()
    .use(layer({ name: "stamp" }))
    .mount("/php", {
      handle: () => text(""),
      status: () => ({ name: "php-fpm", state: "failed", error: "exited with code 1", facts: { queued: 3 } }),
    })
    .mount("/cgi", () => text(""));
  const control = { ...controlWith(metrics), status: async () => ({ ...status, status: mounts.status?.() ?? null }) };
  const rows = statusBody(await new StatusHistory(control).look()).split("<tr>");
  expect(rows.find((row) => row.includes("/php"))).toMatch(/class="state failed".*<td class="n">3<\/td>/);
  expect(rows.find((row) => row.includes("/cgi"))).toMatch(/class="state ready".*<td class="n">0<\/td>/);
});
