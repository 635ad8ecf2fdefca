// Metrics of a backend: how many of its processes there are, and how their starts went.
import type { AppContext } from "../model/context.ts";

/** What a supervisor counts. */
export interface BackendMeters {
  /** How many processes are ready, and how many there shall be. */
  report(ready: number, wanted: number): void;
  /** One that ended or failed by itself is started again. */
  restarted(): void;
  /** One is ready: the time since it was started. */
  started(milliseconds: number): void;
}

const START_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** The meters of the backend with a name. */
export function backendMeters(metrics: AppContext["metrics"] | undefined, backend: string): BackendMeters {
  if (metrics === undefined) return { report() {}, restarted() {}, started() {} };
  const labels = { backend };
  const ready = metrics.gauge({ name: "gw_backend_processes", help: "Processes of a backend that are ready." });
  const wanted = metrics.gauge({ name: "gw_backend_processes_wanted", help: "Processes that a backend shall have." });
  const restarts = metrics.counter({
    name: "gw_backend_restarts_total",
    help: "Processes of a backend that ended or failed by themselves and were started again.",
  });
  const starts = metrics.histogram({
    name: "gw_backend_start_seconds",
    help: "Time from the start of a process to its being ready.",
    buckets: START_BUCKETS,
  });
  return {
    report(count, all) {
      ready.set(count, labels);
      wanted.set(all, labels);
    },
    restarted: () => restarts.add(1, labels),
    started: (milliseconds) => starts.observe(milliseconds / 1_000, labels),
  };
}
