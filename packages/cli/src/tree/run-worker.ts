// The life of a worker: serve on the descriptors of the primary, tell it how things are, end when asked.
import { compose } from "@gw/core";
import { createLogger, type LogLevel, nodeContext } from "@gw/core/node";
import type { Invocation } from "../invocation.ts";
import { errorLine } from "../print.ts";
import type { ServerPlan } from "../serving/server-plan.ts";
import { untilStopped } from "../serving/signals.ts";
import { logStrayErrors } from "../serving/stray-errors.ts";
import type { PrimaryCalls, WorkerCalls } from "./calls.ts";
import { Peer } from "./peer.ts";
import { RemoteBackends } from "./remote-backends.ts";
import { remoteCounters } from "./remote-counters.ts";
import { beatRegularly, ExchangeCount } from "./vital-signs.ts";
import type { WorkerPlace } from "./worker-place.ts";

/** Serves until the primary or a signal ends it; gives the exit code. What goes wrong at the start is the primary's to say. */
export async function runWorker(invocation: Invocation, plan: ServerPlan, place: WorkerPlace): Promise<number> {
  const { settings } = invocation;
  const log = createLogger({
    level: (settings.text("logLevel") ?? "info") as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
    facts: { worker: process.pid },
  });
  const primary: Peer<WorkerCalls, PrimaryCalls> = new Peer<WorkerCalls, PrimaryCalls>(place.control, {
    backendChanged: ({ name, facts }) => backends.changed(name, facts),
    backendReady: ({ name, error }) => backends.firstReady(name, error),
    metrics: () => ({ text: context.metrics.toText() }),
    report: () => ({ description: app?.describe?.() ?? null, status: app?.status?.() ?? null }),
    setLogLevel({ level }) {
      log.level = level;
    },
    drainMount: () => false,
  });
  const backends = new RemoteBackends(primary);
  const context = { ...nodeContext({ log, backends, counters: remoteCounters(primary) }), hasSiblings: true };
  const count = new ExchangeCount();
  const forgetErrors = logStrayErrors(log);
  let app: Awaited<ReturnType<ServerPlan["load"]>> | null = null;
  try {
    app = await plan.load(invocation, { fresh: false });
    const server = plan.open(compose([count.layer], app), context, place.binds);
    const stopped = untilStopped({
      server,
      reload: () => {}, // the primary's business
      onStop: () => {},
      gracefulTimeoutMs: plan.gracefulTimeoutMs,
      giveUp: () => process.exit(1),
    });
    stopped.catch(() => {}); // of a start that failed: `ready` says so, too
    void primary.closed.then(() => process.kill(process.pid, "SIGTERM")); // an orphan finishes what it has begun
    await server.ready;
    primary.tell("ready", null);
    const stopBeating = beatRegularly(count, (facts) => primary.tell("beat", facts));
    await stopped;
    stopBeating();
    primary.tell("lastMetrics", { text: context.metrics.toText() });
    return 0;
  } catch (error) {
    const exitCode = (error as { code?: unknown } | null)?.code === "GW_USAGE" ? 2 : 1;
    const line = errorLine(error, { verbose: settings.text("logLevel") === "debug" });
    await primary.call("failed", { message: line.replace(/^gw: /, ""), exitCode }).catch(() => {});
    return exitCode;
  } finally {
    forgetErrors();
    await log.flush();
  }
}
