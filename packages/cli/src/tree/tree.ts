// A process tree at work: addresses, workers, backends and what is known of them.
import { type AppContext, createContext, GatewayError } from "@gw/core";
import { type HeldBind, type LeveledLogger, superviseBackend } from "@gw/core/node";
import type { GatewayControl } from "../admin/control.ts";
import { RecentErrors, watchedLog } from "../admin/watched-log.ts";
import { reopenOwnLogs } from "../serving/log-rotation.ts";
import { GatewayWorkers, type GatewayWorkersOptions } from "./gateway-workers.ts";
import { LentPermits } from "./lent-permits.ts";
import { SharedBackends } from "./shared-backends.ts";
import { treeControl } from "./tree-control.ts";
import { WorkerMetrics } from "./worker-metrics.ts";

/** Inputs of Tree. */
export interface TreeOptions
  extends Pick<
    GatewayWorkersOptions,
    "command" | "env" | "count" | "stopTimeoutMs" | "hangTimeoutMs" | "maxRequests" | "maxRssBytes"
  > {
  readonly held: readonly HeldBind[];
  readonly log: LeveledLogger;
  /** The addresses for people. */
  readonly addresses: readonly string[];
}

/** The workers of a gateway and everything they share. */
export class Tree {
  readonly workers: GatewayWorkers;
  readonly context: AppContext;
  readonly #options: TreeOptions;
  readonly #log: LeveledLogger;
  readonly #backends: SharedBackends;
  readonly #errors = new RecentErrors();
  readonly #drained = new Set<string>();
  readonly #metrics = new WorkerMetrics();
  #isServing = false;
  #haveLogsMoved = false;
  #closing: Promise<void> | null = null;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#log = watchedLog(options.log, (error) => this.#errors.add(error));
    const context = createContext({ log: this.#log });
    this.context = context;
    this.#backends = new SharedBackends({ start: (spec) => superviseBackend(spec, context) });
    this.workers = new GatewayWorkers({
      ...options,
      descriptors: options.held.map(({ fd }) => fd),
      context,
      backends: this.#backends,
      permits: new LentPermits(context.metrics),
      logged: (error) => this.#errors.add(error),
      metrics: this.#metrics,
      greet: async ({ peer }) => {
        await peer.call("setLogLevel", { level: this.#log.level });
        // It may have opened its files before they were moved away, and was not asked then.
        if (this.#haveLogsMoved) await peer.call("reopenLogs", null);
        for (const where of this.#drained) await peer.call("drainMount", { where, isDrained: true });
      },
    });
  }

  /** Settles when it serves. @throws GatewayError why not; nothing is left running then */
  async ready(): Promise<void> {
    try {
      await this.workers.ready();
      this.#isServing = true;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** From now on probes say that it is not ready. */
  leave(): void {
    this.#isServing = false;
  }

  /** Takes no more connections, drains the workers, then ends the backends. A second call cuts what still runs. */
  close(): Promise<void> {
    if (this.#closing !== null) this.workers.cut();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Opens log files anew, ours and those of every worker. @throws GatewayError what could not be opened */
  async reopenLogs(): Promise<void> {
    this.#haveLogsMoved = true;
    const asked = this.workers.list().map(({ peer }) => peer.call("reopenLogs", null));
    const results = await Promise.allSettled([reopenOwnLogs(), ...asked]);
    const failed = results.flatMap((one) => (one.status === "rejected" ? [(one.reason as Error).message] : []));
    if (failed.length > 0) throw new GatewayError("GW_LOG_FILE", 500, [...new Set(failed)].join("; "));
  }

  /** The handles for the admin listener. */
  control({ reload, stop }: { reload(): Promise<string | null>; stop(): void }): GatewayControl {
    return treeControl({
      log: this.#log,
      metrics: () => this.#metrics.toText(this.workers.list(), () => this.context.metrics.toText()),
      workers: this.workers,
      backends: this.#backends,
      errors: this.#errors,
      addresses: () => this.#options.addresses,
      isReady: () => this.#isServing && this.workers.list().length > 0,
      drained: this.#drained,
      reopenLogs: () => this.reopenLogs(),
      reload,
      stop,
    });
  }

  async #close(): Promise<void> {
    this.leave();
    for (const one of this.#options.held) one.close();
    await this.workers.stop();
    await this.#backends.stopAll(); // after those who use them
  }
}
