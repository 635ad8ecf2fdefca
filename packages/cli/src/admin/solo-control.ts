// Control of a gateway that is one process.
import { type AppContext, type Backend, GatewayError } from "@gw/core";
import type { LeveledLogger } from "@gw/core/node";
import { reopenOwnLogs } from "../serving/log-rotation.ts";
import type { ObservedApp } from "../serving/observed-app.ts";
import type { VitalSigns } from "../tree/vital-signs.ts";
import { backendStatus, type GatewayControl, gatewayFacts } from "./control.ts";
import { limitStatuses } from "./limit-status.ts";
import type { RecentErrors } from "./watched-log.ts";

/** Inputs of soloControl. */
export interface SoloControlOptions {
  readonly log: LeveledLogger;
  readonly metrics: AppContext["metrics"];
  readonly observed: ObservedApp;
  readonly errors: RecentErrors;
  /** Of a process that somebody can ask. */
  readonly signs: VitalSigns | null;
  readonly backends: () => readonly Backend[];
  readonly addresses: () => readonly string[];
  readonly isReady: () => boolean;
  /** Why nothing has changed; `null`: reloaded. */
  readonly reload: () => Promise<string | null>;
  readonly stop: () => void;
}

/** The handles of one process. */
export function soloControl(options: SoloControlOptions): GatewayControl {
  const { log, metrics, observed, errors, signs, backends, addresses, isReady, reload, stop } = options;
  const startedAt = Date.now();
  let generation = 1;
  return {
    isReady,
    stop,
    status: async () => ({
      ...gatewayFacts(startedAt),
      isReady: isReady(),
      addresses: addresses(),
      workers: [
        {
          pid: process.pid,
          state: isReady() ? "ready" : "stopping",
          startedAt,
          generation,
          ...(signs?.facts ?? NOT_COUNTED),
        },
      ],
      backends: backends().map(backendStatus),
      description: observed.describe(),
      status: observed.status(),
      limits: limitStatuses(metrics.toText()),
      drained: observed.drained.list,
      errors: errors.list,
    }),
    metrics: async () => metrics.toText(),
    async reload() {
      const why = await reload();
      if (why !== null) throw new GatewayError("GW_CONTROL", 409, why.replace(/^gw: /, ""));
      generation++;
    },
    async resize() {
      throw new GatewayError("GW_CONTROL", 409, "this gateway is one process; start it with --workers");
    },
    async setLogLevel(level) {
      log.level = level;
    },
    reopenLogs: reopenOwnLogs,
    async drain(mount, isDrained) {
      if (!observed.drained.set(mount, isDrained)) throw noSuchMount(mount, observed.drained.places);
    },
  };
}

const NOT_COUNTED = { rssBytes: 0, requests: 0, inFlight: 0, loopDelayMs: 0 } as const;

/** @param places the mounts that there are */
export function noSuchMount(mount: string, places: readonly string[]): GatewayError {
  const allowed = places.length === 0 ? "there are none" : `allowed: ${places.join(", ")}`;
  return new GatewayError("GW_CONTROL", 400, `mount: found ${JSON.stringify(mount)}, ${allowed}`);
}
