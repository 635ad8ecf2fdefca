// The life of a server, whatever it speaks: load, watch, open, say where, obey signals, reload, clean up.

import { isGatewayError } from "@gw/core";
import { nodeContext } from "@gw/core/node";
import type { RunningServer } from "@gw/http";
import { openAdmin } from "../admin/open-admin.ts";
import { soloControl } from "../admin/solo-control.ts";
import { RecentErrors, watchedLog } from "../admin/watched-log.ts";
import { commandLog } from "../command-context.ts";
import type { Invocation } from "../invocation.ts";
import { threadLoaderUrl } from "../modules/thread-loader-url.ts";
import { wantsTree } from "../tree/tree-options.ts";
import { VitalSigns } from "../tree/vital-signs.ts";
import { takeWorkerPlace } from "../tree/worker-place.ts";
import { StartError, UsageError } from "../usage-error.ts";
import { type FirstProcessOptions, leaveFirstPlace } from "./first-process.ts";
import { reopenOnSignal, reopenOwnLogs } from "./log-rotation.ts";
import { ObservedApp } from "./observed-app.ts";
import { type PidFile, preparePidFile } from "./pid-file.ts";
import { Reloader } from "./reloader.ts";
import type { ServerPlan } from "./server-plan.ts";
import { untilStopped } from "./signals.ts";
import { logStrayErrors } from "./stray-errors.ts";
import { announced, serviceManager } from "./systemd.ts";
import { foldersToWatch } from "./watch-app.ts";
import { type TreeWatch, watchTree } from "./watch-tree.ts";

/**
 * Runs a server until a signal has stopped it; gives the exit code. With `--workers` it is a process tree.
 *
 * @throws UsageError, StartError, and what the server throws, with nothing left running
 */
export async function runServer(invocation: Invocation, plan: ServerPlan): Promise<number> {
  setUmask(invocation.settings.text("umask"));
  const place = takeWorkerPlace(invocation.environment);
  if (place !== null) return (await import("../tree/run-worker.ts")).runWorker(invocation, plan, place);
  leaveFirstPlace({
    pid: process.pid,
    environment: process.env,
    execute: (process as { execve?: FirstProcessOptions["execute"] }).execve,
    warn: (line) => invocation.stderr.write(`${line}\n`),
  });
  if (wantsTree(invocation)) return (await import("../tree/run-primary.ts")).runPrimary(invocation, plan);
  return runAlone(invocation, plan);
}

/** Permissions that new files do not get: sockets, logs and what apps write. */
function setUmask(bits: string | undefined): void {
  if (bits === undefined) return;
  if (!/^0?[0-7]{1,3}$/.test(bits))
    throw new UsageError(
      `--umask: found ${JSON.stringify(bits)}, expected octal permissions from 000 to 777, such as 027`,
    );
  process.umask(Number.parseInt(bits, 8));
}

async function runAlone(invocation: Invocation, plan: ServerPlan): Promise<number> {
  const { settings, stderr } = invocation;
  const errors = new RecentErrors();
  const log = watchedLog(commandLog(settings), (error) => errors.add(error));
  const observed = new ObservedApp(settings);
  const load: ServerPlan["load"] = async (call, options) => observed.wrap(await plan.load(call, options));
  const app = await load(invocation, { fresh: false });
  const pid = settings.text("pid");
  const pidFile = pid === undefined ? null : preparePidFile(pid);
  const forgetErrors = logStrayErrors(log);
  const forgetRotation = reopenOnSignal(log, reopenOwnLogs);
  const signs = observed.isWatched ? new VitalSigns(observed.count) : null;
  const manager = serviceManager(invocation.environment);
  let watch: TreeWatch | null = null;
  let admin: RunningServer | null = null;
  let isReady = false;
  try {
    watch = watchTree(plan.isWatching ? foldersToWatch(invocation) : [], () => void reload());
    const context = nodeContext({ log, moduleLoader: threadLoaderUrl() });
    const server = plan.open(app, context, plan.binds);
    const reloader = new Reloader(invocation, { load, app, server, log });
    const reload = announced(() => reloader.reload(), manager);
    const stopped = untilStopped({
      server,
      reload: () => void reload(),
      onStop: () => {
        isReady = false;
        manager.stopping();
        reloader.close();
      },
      delayMs: settings.number("drainDelay") ?? 0,
      gracefulTimeoutMs: plan.gracefulTimeoutMs,
      giveUp: () => endWithoutApp(stderr, pidFile),
    });
    stopped.catch(() => {}); // of a start that failed: `ready` says so, too
    const addresses = (): string[] => server.addresses.map((address) => plan.textOf(address));
    const control = soloControl({
      log,
      metrics: context.metrics,
      observed,
      errors,
      signs,
      backends: () => observed.backends(),
      addresses,
      isReady: () => isReady,
      reload,
      stop: () => process.kill(process.pid, "SIGTERM"),
    });
    admin = await openAdmin(settings.list("admin"), control, context);
    await server.ready.catch(explainStart);
    isReady = true;
    pidFile?.publish();
    for (const address of addresses()) stderr.write(`gw: listening on ${address}\n`);
    manager.ready();
    await stopped;
    stderr.write("gw: stopped\n");
    return 0;
  } finally {
    signs?.stop();
    await manager.close();
    watch?.close();
    await admin?.close();
    forgetErrors();
    forgetRotation();
    pidFile?.remove();
    await log.flush();
  }
}

/** Our own errors say what is missing; anything else comes from the app. */
function explainStart(error: unknown): never {
  if (isGatewayError(error)) throw error;
  throw new StartError(`the app did not start: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}

function endWithoutApp(stderr: Invocation["stderr"], pidFile: PidFile | null): never {
  pidFile?.remove();
  stderr.write("gw: stopped; the app did not stop in time\n");
  process.exit(1);
}
