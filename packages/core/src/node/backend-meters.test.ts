import { expect, test } from "vitest";
import { createMetrics } from "../pipeline/metrics.ts";
import { backendMeters } from "./backend-meters.ts";

test("R-O2: during a reload the old backend's end does not hide the new one of the same name", () => {
  const metrics = createMetrics();
  const [old, fresh] = [backendMeters(metrics, "php"), backendMeters(metrics, "php")];
  old.report({ state: "ready", ready: 4, wanted: 4 });
  fresh.report({ state: "starting", ready: 0, wanted: 2 });
  expect(metrics.toText()).toContain('gw_backend_processes_wanted{backend="php"} 6\n');
  expect(metrics.toText()).toContain('gw_backend_state{backend="php",state="starting"} 1\n');
  fresh.report({ state: "ready", ready: 2, wanted: 2 });
  expect(metrics.toText()).toContain('gw_backend_state{backend="php",state="ready"} 2\n');
  old.report({ state: "stopped", ready: 0, wanted: 0 });
  old.report({ state: "stopped", ready: 0, wanted: 0 });
  expect(metrics.toText()).toContain('gw_backend_processes{backend="php"} 2\n');
  expect(metrics.toText()).toContain('gw_backend_state{backend="php",state="ready"} 1\n');
  expect(metrics.toText()).toContain('gw_backend_state{backend="php",state="starting"} 0\n');
  expect(metrics.toText()).not.toContain("stopped");
});

test("restarts are there before the first one, so that it is an increase", () => {
  const metrics = createMetrics();
  const meters = backendMeters(metrics, "php");
  expect(metrics.toText()).toContain('gw_backend_restarts_total{backend="php"} 0\n');
  meters.restarted();
  expect(metrics.toText()).toContain('gw_backend_restarts_total{backend="php"} 1\n');
});
