// Metrics of a backend: what state it is in, how many of its processes there are, and how their starts went.
import type { BackendState } from "../model/backend.ts";
import type { AppContext } from "../model/context.ts";

/** How a backend is at a moment. */
export interface BackendReading {
  readonly state: BackendState;
  /** Processes that are ready. */
  readonly ready: number;
  /** Processes that there shall be. */
  readonly wanted: number;
}

/** What a supervisor counts. */
export interface BackendMeters {
  /** It is like this from now on. */
  report(reading: BackendReading): void;
  /** One that ended or failed by itself is started again. */
  restarted(): void;
  /** One is ready: the time since it was started. */
  started(milliseconds: number): void;
}

const START_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const NOTHING: BackendReading = { state: "stopped", ready: 0, wanted: 0 };

/**
 * The meters of the backend with a name.
 *
 * During a reload the old and the new backend of one name run side by side: each adds its own share to the gauges and
 * takes it away again, so that the end of the old one does not hide the new one.
 */
export function backendMeters(metrics: AppContext["metrics"] | undefined, backend: string): BackendMeters {
  if (metrics === undefined) return { report() {}, restarted() {}, started() {} };
  const labels = { backend };
  const ready = metrics.gauge({ name: "gw_backend_processes", help: "Processes of a backend that are ready." });
  const wanted = metrics.gauge({ name: "gw_backend_processes_wanted", help: "Processes that a backend shall have." });
  const states = metrics.gauge({ name: "gw_backend_state", help: "Backends of a name by the state they are in." });
  const restarts = metrics.counter({
    name: "gw_backend_restarts_total",
    help: "Processes of a backend that ended or failed by themselves and were started again.",
  });
  const starts = metrics.histogram({
    name: "gw_backend_start_seconds",
    help: "Time from the start of a process to its being ready.",
    buckets: START_BUCKETS,
  });
  restarts.add(0, labels); // a first restart is an increase, from a value that was seen
  let last = NOTHING;
  return {
    report(now) {
      ready.add(now.ready - last.ready, labels);
      wanted.add(now.wanted - last.wanted, labels);
      // A stopped backend is gone: it is in no state.
      if (last.state !== now.state && last.state !== "stopped") states.add(-1, { ...labels, state: last.state });
      if (last.state !== now.state && now.state !== "stopped") states.add(1, { ...labels, state: now.state });
      last = now;
    },
    restarted: () => restarts.add(1, labels),
    started: (milliseconds) => starts.observe(milliseconds / 1_000, labels),
  };
}
