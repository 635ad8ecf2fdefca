// What the operator wants to know and do about the apps of one process: counts, metrics by mount, mounts out of service.
import {
  type App,
  type AppContext,
  type Backend,
  compose,
  type Description,
  findPlace,
  type Middleware,
  type Status,
} from "@gw/core";
import { createBackends, type LocalBackends } from "@gw/core/node";
import { DrainedMounts } from "../admin/drained-mounts.ts";
import { mountPlaces } from "../admin/mount-places.ts";
import type { EffectiveSettings } from "../config/settings.ts";
import { ExchangeCount } from "../tree/vital-signs.ts";
import { appCount, refuseFailed } from "./settled-status.ts";

/** Whatever is in no mount: the app of the call, or nothing. */
const REST = "/";
const NO_CHILDREN: Description = { kind: "app", name: "app" };

/** The apps of one process, one after the other, as its operator sees them. */
export class ObservedApp {
  readonly count: ExchangeCount = new ExchangeCount();
  readonly drained: DrainedMounts = new DrainedMounts();
  /** Whether somebody can ask: a primary, or an admin listener. If nobody can, nothing is counted. */
  readonly isWatched: boolean;
  readonly #hasMetrics: boolean;
  readonly #isStrict: boolean;
  #ownBackends: readonly LocalBackends[] = [];
  readonly #backendsOf: (context: AppContext) => AppContext["backends"];
  #app: App | null = null;

  /** @param backends those of a worker; without them each load has its own in this process, so that names may return */
  constructor(settings: EffectiveSettings, backends?: AppContext["backends"]) {
    this.isWatched = backends !== undefined || settings.list("admin").length > 0;
    this.#backendsOf = (context) => backends ?? this.#newBackends(context);
    this.#isStrict = settings.isOn("strictStart") ?? false;
    this.#hasMetrics = settings.isOn("metrics") ?? settings.list("admin").length > 0;
  }

  /** The app with our layers around it; from its start on it is the one that is looked at. */
  async wrap(app: App): Promise<App> {
    const places = mountPlaces(app.describe?.());
    const metrics = await this.#metricsLayers(places);
    const layers: Middleware[] = this.isWatched ? [this.count.layer, ...metrics, this.drained.layer] : metrics;
    const wrapped = compose(layers, app);
    return {
      ...wrapped,
      describe: () => app.describe?.() ?? { kind: "app", name: "app" },
      status: () => app.status?.() ?? { name: "app", state: "ready", error: null },
      start: async (context) => {
        await wrapped.start?.({ ...context, backends: this.#backendsOf(context) });
        await this.#refuseFailed(app, wrapped);
        this.#app = app;
        this.drained.use(places);
      },
    };
  }

  /** What serves, as it describes itself. */
  describe(): Description | null {
    return this.#app?.describe?.() ?? null;
  }

  /** How what serves is doing. */
  status(): Status | null {
    return this.#app?.status?.() ?? null;
  }

  /** The programs that run beside this process. */
  backends(): readonly Backend[] {
    return this.#ownBackends.flatMap((one) => one.list());
  }

  /** At the start an only app must work, and with `--strict-start` every one; a reload has its own rule. */
  async #refuseFailed(app: App, { stop }: App): Promise<void> {
    if (this.#app !== null || !(this.#isStrict || appCount(app.describe?.() ?? NO_CHILDREN) === 1)) return;
    await refuseFailed({ ...app, ...(stop && { stop }) }, "the app does not get ready");
  }

  #newBackends(context: AppContext): LocalBackends {
    const backends = createBackends(context);
    this.#ownBackends = [...this.#ownBackends.filter((old) => old.list().length > 0), backends];
    return backends;
  }

  async #metricsLayers(places: readonly string[]): Promise<Middleware[]> {
    if (!this.#hasMetrics) return [];
    const { metrics } = await import("@gw/middleware/metrics");
    const find = findPlace(places);
    return [metrics({ label: (request) => find(request) ?? REST, labels: [...new Set([REST, ...places])] })];
  }
}
