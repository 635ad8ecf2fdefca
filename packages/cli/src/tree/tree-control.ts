// Control of a gateway of several processes: what the workers know, put together.
import { GatewayError } from "@gw/core";
import type { LeveledLogger, LogLevel } from "@gw/core/node";
import { backendStatus, type GatewayControl, gatewayFacts, type WorkerStatus } from "../admin/control.ts";
import { limitStatuses } from "../admin/limit-status.ts";
import { mountPlaces } from "../admin/mount-places.ts";
import { noSuchMount } from "../admin/solo-control.ts";
import type { RecentErrors } from "../admin/watched-log.ts";
import type { WorkerReport } from "./calls.ts";
import type { GatewayWorker, GatewayWorkers } from "./gateway-workers.ts";
import { patiently } from "./patience.ts";
import type { SharedBackends } from "./shared-backends.ts";

/** Inputs of treeControl. */
export interface TreeControlOptions {
  readonly log: LeveledLogger;
  /** Metrics of all processes. */
  readonly metrics: () => Promise<string>;
  readonly workers: GatewayWorkers;
  readonly backends: SharedBackends;
  readonly errors: RecentErrors;
  readonly addresses: () => readonly string[];
  readonly isReady: () => boolean;
  /** Why nothing has changed; `null`: reloaded. */
  readonly reload: () => Promise<string | null>;
  readonly stop: () => void;
  readonly reopenLogs: () => Promise<void>;
  /** Mounts out of service, also for the workers of later. */
  readonly drained: Set<string>;
}

/** The handles of a process tree. */
export function treeControl(options: TreeControlOptions): GatewayControl {
  const { workers, backends, errors, isReady, drained } = options;
  const startedAt = Date.now();
  return {
    isReady,
    stop: options.stop,
    async status() {
      const [report, metrics] = await Promise.all([latestReport(workers), options.metrics()]);
      return {
        ...gatewayFacts(startedAt),
        isReady: isReady(),
        addresses: options.addresses(),
        workers: workerStatuses(workers),
        backends: backends.list().map(backendStatus),
        description: report?.description ?? null,
        status: report?.status ?? null,
        limits: limitStatuses(metrics),
        drained: [...drained],
        errors: errors.list,
      };
    },
    metrics: options.metrics,
    async reload() {
      const why = await options.reload();
      if (why !== null) throw new GatewayError("GW_CONTROL", 409, why.replace(/^gw: /, ""));
    },
    resize: (count) => workers.resize(count),
    async setLogLevel(level: LogLevel) {
      options.log.level = level;
      await tellAll(workers, (peer) => peer.call("setLogLevel", { level }));
    },
    reopenLogs: options.reopenLogs,
    async drain(mount, isDrained) {
      const report = await latestReport(workers);
      const places = mountPlaces(report?.description ?? undefined);
      if (!places.includes(mount)) throw noSuchMount(mount, places);
      if (isDrained) drained.add(mount);
      else drained.delete(mount);
      await tellAll(workers, (peer) => peer.call("drainMount", { where: mount, isDrained }));
    },
  };
}

function workerStatuses(workers: GatewayWorkers): readonly WorkerStatus[] {
  const known = new Map(workers.list().map((worker) => [worker.pid, worker]));
  return workers.processes.map(({ pid, state, startedAt }) => {
    const { generation = 0, facts = null } = known.get(pid) ?? {};
    return { pid, state, startedAt, generation, ...(facts ?? NOTHING_YET) };
  });
}

const NOTHING_YET = { rssBytes: 0, requests: 0, inFlight: 0, loopDelayMs: 0 } as const;

/**
 * What the newest worker says of its apps. One that hangs, or ends at this moment, is not waited for: the next newest is
 * asked; with none, nothing is known.
 */
async function latestReport(workers: GatewayWorkers): Promise<WorkerReport | null> {
  const newestFirst = workers.list().toSorted((a, b) => b.generation - a.generation);
  for (const { peer } of newestFirst) {
    const report = await patiently(peer.call("report", null));
    if (report !== null) return report;
  }
  return null;
}

/** Tells every worker something. One that hangs does it when it goes on, one that ends never will: nobody waits for them. */
async function tellAll(
  workers: GatewayWorkers,
  tell: (peer: GatewayWorker["peer"]) => Promise<unknown>,
): Promise<void> {
  await Promise.all(workers.list().map(({ peer }) => patiently(tell(peer))));
}
