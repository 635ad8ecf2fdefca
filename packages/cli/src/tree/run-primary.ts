// The life of a primary: it holds the addresses and the backends, its workers serve.
import { createCounters, createMetrics } from "@gw/core";
import { createLogger, type HeldBind, holdAllBinds, type LogLevel, parseBind, superviseBackend } from "@gw/core/node";
import type { Invocation } from "../invocation.ts";
import { errorLine } from "../print.ts";
import { preparePidFile } from "../serving/pid-file.ts";
import type { ServerPlan } from "../serving/server-plan.ts";
import { STOP_GRACE_MS, untilStopped } from "../serving/signals.ts";
import { foldersToWatch } from "../serving/watch-app.ts";
import { type TreeWatch, watchTree } from "../serving/watch-tree.ts";
import { GatewayWorkers } from "./gateway-workers.ts";
import { SharedBackends } from "./shared-backends.ts";
import { workersOptionsOf } from "./tree-options.ts";

/**
 * Runs a gateway of several processes until a signal has stopped it; gives the exit code.
 *
 * @throws UsageError, StartError, what a worker said that could not start, with nothing left running
 */
export async function runPrimary(invocation: Invocation, plan: Omit<ServerPlan, "load" | "open">): Promise<number> {
  const { settings, stderr } = invocation;
  const log = createLogger({
    level: (settings.text("logLevel") ?? "info") as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
  });
  const context = { log, metrics: createMetrics(), counters: createCounters() };
  const pid = settings.text("pid");
  const pidFile = pid === undefined ? null : preparePidFile(pid);
  let held: readonly HeldBind[] = [];
  let watch: TreeWatch | null = null;
  try {
    held = await holdAllBinds(plan.binds.map(parseBind));
    const backends = new SharedBackends({ start: (spec) => superviseBackend(spec, context) });
    const workers = new GatewayWorkers({
      ...workersOptionsOf(invocation),
      descriptors: held.map(({ fd }) => fd),
      stopTimeoutMs: plan.gracefulTimeoutMs + STOP_GRACE_MS,
      context,
      backends,
    });
    const reloader = new WorkerReloader(workers, stderr);
    watch = watchTree(plan.isWatching ? foldersToWatch(invocation) : [], () => void reloader.reload());
    const stopResizing = resizeOnSignals(workers);
    const stopped = untilStopped({
      server: {
        close: once(
          () => stopAll(workers, backends),
          () => workers.cut(),
        ),
      },
      reload: () => void reloader.reload(),
      onStop: () => reloader.close(),
      gracefulTimeoutMs: plan.gracefulTimeoutMs + STOP_GRACE_MS,
      giveUp: () => process.exit(1), // the supervisor has killed what it could; the guard ends the rest
    });
    try {
      await workers.ready();
    } catch (error) {
      await stopAll(workers, backends);
      throw error;
    }
    pidFile?.publish();
    for (const { address } of held) stderr.write(`gw: listening on ${plan.textOf(address)}\n`);
    await stopped;
    stopResizing();
    stderr.write("gw: stopped\n");
    return 0;
  } finally {
    watch?.close();
    for (const one of held) one.close();
    pidFile?.remove();
    await log.flush();
  }
}

/** Workers first: they stop using the backends. */
async function stopAll(workers: GatewayWorkers, backends: SharedBackends): Promise<void> {
  await workers.stop();
  await backends.stopAll();
}

/** The first call does one thing, the next the other; all settle with the first. */
function once(first: () => Promise<void>, again: () => void): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    if (running !== null) again();
    running ??= first();
    return running;
  };
}

/** TTIN: a worker more. TTOU: one less, but one stays. */
function resizeOnSignals(workers: GatewayWorkers): () => void {
  const more = (): void => void workers.resize(workers.count + 1);
  const fewer = (): void => void (workers.count > 1 && workers.resize(workers.count - 1));
  process.on("SIGTTIN", more).on("SIGTTOU", fewer);
  return () => process.off("SIGTTIN", more).off("SIGTTOU", fewer);
}

/** Reloads one after the other; what is asked for meanwhile leads to one more. */
class WorkerReloader {
  readonly #workers: GatewayWorkers;
  readonly #stderr: Invocation["stderr"];
  #isRunning = false;
  #isAskedAgain = false;
  #isClosed = false;

  constructor(workers: GatewayWorkers, stderr: Invocation["stderr"]) {
    this.#workers = workers;
    this.#stderr = stderr;
  }

  /** Settles when the new workers serve or one has failed. Never rejects. */
  async reload(): Promise<void> {
    this.#isAskedAgain = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isAskedAgain && !this.#isClosed) {
      this.#isAskedAgain = false;
      await this.#reloadOnce();
    }
    this.#isRunning = false;
  }

  /** From now on nothing is replaced any more: the gateway is about to stop. */
  close(): void {
    this.#isClosed = true;
  }

  async #reloadOnce(): Promise<void> {
    const begun = performance.now();
    try {
      await this.#workers.reload();
      this.#stderr.write(`gw: reloaded in ${Math.round(performance.now() - begun)} ms\n`);
    } catch (error) {
      this.#stderr.write(`${errorLine(error)}\ngw: not reloaded; the workers from before go on\n`);
    }
  }
}
