// Control of a gateway of several processes: what the workers know, put together.
import { GatewayError } from "@gw/core";
import type { LeveledLogger, LogLevel } from "@gw/core/node";
import { backendStatus, type GatewayControl, gatewayFacts, type WorkerStatus } from "../admin/control.ts";
import { mergeExpositions } from "../admin/exposition.ts";
import { mountPlaces } from "../admin/mount-places.ts";
import { noSuchMount } from "../admin/solo-control.ts";
import type { RecentErrors } from "../admin/watched-log.ts";
import type { GatewayWorker, GatewayWorkers } from "./gateway-workers.ts";
import type { SharedBackends } from "./shared-backends.ts";

/** Inputs of treeControl. */
export interface TreeControlOptions {
  readonly log: LeveledLogger;
  /** Metrics of the primary itself. */
  readonly ownMetrics: () => string;
  /** Last metrics of workers that have ended, added up. */
  readonly endedMetrics: () => string;
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
      const report = await newest(workers)?.peer.call("report", null);
      return {
        ...gatewayFacts(startedAt),
        isReady: isReady(),
        addresses: options.addresses(),
        workers: workerStatuses(workers),
        backends: backends.list().map(backendStatus),
        description: report?.description ?? null,
        status: report?.status ?? null,
        drained: [...drained],
        errors: errors.list,
      };
    },
    async metrics() {
      const texts = await Promise.all(workers.list().map(metricsOf));
      return mergeExpositions([options.ownMetrics(), ...texts], [options.endedMetrics()]);
    },
    async reload() {
      const why = await options.reload();
      if (why !== null) throw new GatewayError("GW_CONTROL", 409, why.replace(/^gw: /, ""));
    },
    resize: (count) => workers.resize(count),
    async setLogLevel(level: LogLevel) {
      options.log.level = level;
      await Promise.all(workers.list().map(({ peer }) => peer.call("setLogLevel", { level })));
    },
    reopenLogs: options.reopenLogs,
    async drain(mount, isDrained) {
      const report = await newest(workers)?.peer.call("report", null);
      const places = mountPlaces(report?.description ?? undefined);
      if (!places.includes(mount)) throw noSuchMount(mount, places);
      if (isDrained) drained.add(mount);
      else drained.delete(mount);
      await Promise.all(workers.list().map(({ peer }) => peer.call("drainMount", { where: mount, isDrained })));
    },
  };
}

function newest(workers: GatewayWorkers): GatewayWorker | undefined {
  return workers
    .list()
    .toSorted((a, b) => a.generation - b.generation)
    .at(-1);
}

function workerStatuses(workers: GatewayWorkers): readonly WorkerStatus[] {
  const known = new Map(workers.list().map((worker) => [worker.pid, worker]));
  return workers.processes.map(({ pid, state, startedAt }) => {
    const { generation = 0, facts = null } = known.get(pid) ?? {};
    return { pid, state, startedAt, generation, ...(facts ?? NOTHING_YET) };
  });
}

const NOTHING_YET = { rssBytes: 0, requests: 0, inFlight: 0, loopDelayMs: 0 } as const;

const PATIENCE_MS = 1_000;

/** A worker that hangs must not keep the metrics of the others back. */
async function metricsOf({ peer }: GatewayWorker): Promise<string> {
  const late = new Promise<string>((done) => setTimeout(() => done(""), PATIENCE_MS).unref());
  return Promise.race([
    peer.call("metrics", null).then(
      ({ text }) => text,
      () => "",
    ),
    late,
  ]);
}
