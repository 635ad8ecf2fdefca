// The life of a primary: it holds the addresses and the backends, its workers serve.
import { type HeldBind, holdAllBinds, parseBind } from "@gw/core/node";
import type { RunningServer } from "@gw/http";
import { openAdmin } from "../admin/open-admin.ts";
import { commandLog } from "../command-context.ts";
import type { Invocation } from "../invocation.ts";
import { errorLine } from "../print.ts";
import { become, giveToGroup, type Identity, identityOf } from "../serving/identity.ts";
import { reopenOnSignal } from "../serving/log-rotation.ts";
import { oneAtATime } from "../serving/one-at-a-time.ts";
import { type PidFile, preparePidFile } from "../serving/pid-file.ts";
import type { ServerPlan } from "../serving/server-plan.ts";
import { STOP_GRACE_MS, untilStopped } from "../serving/signals.ts";
import { announced, serviceManager } from "../serving/systemd.ts";
import { foldersToWatch } from "../serving/watch-app.ts";
import { type TreeWatch, watchTree } from "../serving/watch-tree.ts";
import type { GatewayWorkers } from "./gateway-workers.ts";
import { afterOrphans } from "./orphans.ts";
import { Tree } from "./tree.ts";
import { MOST_WORKERS, workersOptionsOf } from "./tree-options.ts";

/**
 * Runs a gateway of several processes until a signal has stopped it; gives the exit code.
 *
 * @throws UsageError, StartError, what a worker said that could not start, with nothing left running
 */
export async function runPrimary(invocation: Invocation, plan: PrimaryPlan): Promise<number> {
  const { settings } = invocation;
  const identity = identityOf(settings);
  const pid = settings.text("pid");
  const pidFile = pid === undefined ? null : preparePidFile(pid, { isOpenedNow: identity !== null });
  try {
    const held = await afterOrphans(
      () => holdAs(identity, plan.binds),
      (line) => invocation.stderr.write(line),
    );
    // From here on nothing needs root: log, control socket, workers and backends are the user's.
    return await serveTree(invocation, plan, { held, pidFile });
  } finally {
    pidFile?.remove();
  }
}

type PrimaryPlan = Omit<ServerPlan, "load" | "open">;

/** Binds every address; only then becomes whoever was asked for, because ports below 1024 are root's. */
async function holdAs(identity: Identity | null, binds: readonly string[]): Promise<HeldBind[]> {
  const held = await holdAllBinds(binds.map(parseBind));
  if (identity === null) return held;
  try {
    giveToGroup(
      held.flatMap(({ bind }) => (bind.kind === "unix" ? [bind.path] : [])),
      identity,
    );
    become(identity);
    return held;
  } catch (error) {
    for (const one of held) one.close();
    throw error;
  }
}

async function serveTree(
  invocation: Invocation,
  plan: PrimaryPlan,
  { held, pidFile }: { held: HeldBind[]; pidFile: PidFile | null },
): Promise<number> {
  const { settings, stderr } = invocation;
  const log = commandLog(settings);
  const manager = serviceManager(invocation.environment);
  let watch: TreeWatch | null = null;
  let admin: RunningServer | null = null;
  try {
    const addresses = held.map(({ address }) => plan.textOf(address));
    const stopTimeoutMs = plan.gracefulTimeoutMs + STOP_GRACE_MS;
    const tree = new Tree({ ...workersOptionsOf(invocation), held, addresses, log, stopTimeoutMs });
    const reload = announced(
      oneAtATime(() => reloadWorkers(tree.workers, stderr)),
      manager,
    );
    const stopResizing = resizeOnSignals(tree.workers);
    const forgetRotation = reopenOnSignal(log, () => tree.reopenLogs());
    const stopped = untilStopped({
      server: tree,
      reload: () => void reload(),
      onStop: () => {
        manager.stopping();
        tree.leave();
      },
      delayMs: settings.number("drainDelay") ?? 0,
      gracefulTimeoutMs: stopTimeoutMs,
      giveUp: () => process.exit(1), // the supervisor has killed what it could; the guard ends the rest
    });
    admin = await openAdmin(settings.list("admin"), tree.control({ reload, stop: stopUs }), tree.context).catch(
      closing(tree),
    );
    await tree.ready();
    watch = watchTree(plan.isWatching ? foldersToWatch(invocation) : [], () => void reload());
    pidFile?.publish();
    for (const address of addresses) stderr.write(`gw: listening on ${address}\n`);
    manager.ready();
    await stopped;
    stopResizing();
    forgetRotation();
    stderr.write("gw: stopped\n");
    return 0;
  } finally {
    await manager.close();
    watch?.close();
    await admin?.close();
    await log.flush();
  }
}

/** What fails after the tree has begun must not leave it running. */
function closing(tree: Tree): (error: unknown) => Promise<never> {
  return async (error) => {
    await tree.close();
    throw error;
  };
}

function stopUs(): void {
  process.kill(process.pid, "SIGTERM");
}

/** TTIN: a worker more. TTOU: one less, but one stays. */
function resizeOnSignals(workers: GatewayWorkers): () => void {
  const more = (): void => void (workers.count < MOST_WORKERS && workers.resize(workers.count + 1));
  const fewer = (): void => void (workers.count > 1 && workers.resize(workers.count - 1));
  process.on("SIGTTIN", more).on("SIGTTOU", fewer);
  return () => process.off("SIGTTIN", more).off("SIGTTOU", fewer);
}

/** Replaces the workers; says how it went, and gives why not (`null`: they are replaced). */
async function reloadWorkers(workers: GatewayWorkers, stderr: Invocation["stderr"]): Promise<string | null> {
  const begun = performance.now();
  try {
    await workers.reload();
    stderr.write(`gw: reloaded in ${Math.round(performance.now() - begun)} ms\n`);
    return null;
  } catch (error) {
    const line = errorLine(error);
    stderr.write(`${line}\ngw: not reloaded; the workers from before go on\n`);
    return line;
  }
}
