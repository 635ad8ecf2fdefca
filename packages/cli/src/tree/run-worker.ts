// The life of a worker: serve on the descriptors of the primary, tell it how things are, end when asked.

import { type AppContext, createContext, type Status } from "@gw/core";
import type { LeveledLogger } from "@gw/core/node";
import { watchedLog } from "../admin/watched-log.ts";
import { commandLog } from "../command-context.ts";
import type { Invocation } from "../invocation.ts";
import { threadLoaderUrl } from "../modules/thread-loader-url.ts";
import { errorLine } from "../print.ts";
import { reopenOnSignal, reopenOwnLogs } from "../serving/log-rotation.ts";
import { ObservedApp } from "../serving/observed-app.ts";
import type { ServerPlan } from "../serving/server-plan.ts";
import { settledStatus } from "../serving/settled-status.ts";
import { untilStopped } from "../serving/signals.ts";
import { logStrayErrors } from "../serving/stray-errors.ts";
import { BorrowedPermits } from "./borrowed-permits.ts";
import type { PrimaryCalls, WorkerCalls, WorkerReport } from "./calls.ts";
import { Peer } from "./peer.ts";
import { RemoteBackends } from "./remote-backends.ts";
import { remoteCounters } from "./remote-counters.ts";
import { VitalSigns } from "./vital-signs.ts";
import type { WorkerPlace } from "./worker-place.ts";

/** Serves until the primary or a signal ends it; gives the exit code. What goes wrong at the start is the primary's to say. */
export async function runWorker(invocation: Invocation, plan: ServerPlan, place: WorkerPlace): Promise<number> {
  const plainLog = commandLog(invocation.settings, { worker: process.pid });
  const { primary, context, log, observed } = joinPrimary(place, plainLog, invocation);
  const forgetErrors = logStrayErrors(log);
  const forgetRotation = reopenOnSignal(log, reopenOwnLogs);
  try {
    const app = await observed.wrap(await plan.load(invocation, { fresh: false }));
    const server = plan.open(app, context, place.binds);
    const stopped = untilStopped({
      server,
      reload: () => {}, // the primary's business
      onStop: () => {},
      gracefulTimeoutMs: plan.gracefulTimeoutMs,
      orphaned: primary.closed,
      giveUp: () => process.exit(1),
    });
    stopped.catch(() => {}); // of a start that failed: `ready` says so, too
    await server.ready;
    primary.tell("ready", null);
    const signs = new VitalSigns(observed.count, (facts) => primary.tell("beat", facts));
    await stopped;
    signs.stop();
    primary.tell("lastMetrics", { text: context.metrics.toText() });
    return 0;
  } catch (error) {
    return await failed(primary, error, invocation);
  } finally {
    forgetErrors();
    forgetRotation();
    await log.flush();
  }
}

type Primary = Peer<WorkerCalls, PrimaryCalls>;

/** The link to the primary, and what the apps get through it. */
function joinPrimary(
  { control }: WorkerPlace,
  plainLog: LeveledLogger,
  { settings }: Invocation,
): { primary: Primary; context: AppContext; log: LeveledLogger; observed: ObservedApp } {
  const log = watchedLog(plainLog, (error) => primary.tell("logged", error));
  const primary: Primary = new Peer<WorkerCalls, PrimaryCalls>(control, {
    backendChanged: ({ name, facts }) => backends.changed(name, facts),
    backendReady: ({ name, error }) => backends.firstReady(name, error),
    permits: ({ name, ...loan }) => permits.lent(name, loan),
    metrics: () => ({ text: context.metrics.toText() }),
    report: () => reportOf(observed),
    async settledReport() {
      await settledStatus({ status: () => observed.status() ?? NO_STATUS });
      return reportOf(observed);
    },
    reopenLogs: reopenOwnLogs,
    setLogLevel({ level }) {
      log.level = level;
    },
    drainMount: ({ where, isDrained }) => observed.drained.set(where, isDrained),
  });
  const backends = new RemoteBackends(primary);
  const permits = new BorrowedPermits({
    join: (name, limit) => primary.tell("joinPermits", { name, limit }),
    report: (name, report) => primary.tell("permits", { name, ...report }),
  });
  const observed = new ObservedApp(settings, backends);
  const context = createContext({
    ...{ log, backends, counters: remoteCounters(primary), permits },
    ...{ hasSiblings: true, moduleLoader: threadLoaderUrl() },
  });
  return { primary, context, log, observed };
}

const NO_STATUS: Status = { name: "app", state: "ready", error: null };

function reportOf(observed: ObservedApp): WorkerReport {
  return { description: observed.describe(), status: observed.status() };
}

/** Tells the primary why this worker cannot serve; gives the exit code. */
async function failed(primary: Primary, error: unknown, { settings }: Invocation): Promise<number> {
  const exitCode = (error as { code?: unknown } | null)?.code === "GW_USAGE" ? 2 : 1;
  const line = errorLine(error, { verbose: settings.text("logLevel") === "debug" });
  await primary.call("failed", { message: line.replace(/^gw: /, ""), exitCode }).catch(() => {});
  return exitCode;
}
