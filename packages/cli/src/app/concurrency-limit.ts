// How many requests may be under way: of the whole gateway (`--limit-concurrency`), and of a mount of the configuration.
import { type App, type AppSource, compose, type Middleware, toApp } from "@gw/core";
import type { LimitConcurrencyOptions } from "@gw/middleware/limit-concurrency";
import type { MountReference } from "../config/config.ts";
import type { EffectiveSettings } from "../config/settings.ts";
import { parseValue } from "../config/values.ts";
import { UsageError } from "../usage-error.ts";

/** A limit with the name that it has in metrics: that of its mount, or `"gateway"`. */
export type ConcurrencyLimit = LimitConcurrencyOptions & { readonly name: string };

/** The limit of the whole gateway; `null`: none. @throws UsageError for a queue without a limit */
export function gatewayLimit(settings: EffectiveSettings): ConcurrencyLimit | null {
  const limit = settings.number("limitConcurrency") ?? 0;
  const maxQueued = settings.number("limitQueue");
  const queueTimeoutMs = settings.number("queueTimeout");
  if (settings.number("limitConcurrency") === undefined && (maxQueued ?? queueTimeoutMs) !== undefined)
    throw new UsageError(
      `--${maxQueued === undefined ? "queue-timeout" : "limit-queue"} needs --limit-concurrency: how many requests may be under way`,
    );
  return limitOf("gateway", { limit, maxQueued, queueTimeoutMs });
}

/** The limit of a mount, of what the configuration says; `null`: none. The values have been checked. */
export function mountLimit(
  where: string,
  {
    limitConcurrency = 0,
    limitQueue,
    queueTimeout,
  }: { [Key in "limitConcurrency" | "limitQueue" | "queueTimeout"]: MountReference[Key] | undefined },
): ConcurrencyLimit | null {
  return limitOf(where, {
    limit: Number(limitConcurrency),
    maxQueued: limitQueue === undefined ? undefined : Number(limitQueue),
    queueTimeoutMs:
      queueTimeout === undefined ? undefined : (parseValue("queueTimeout", "duration", String(queueTimeout)) as number),
  });
}

/** An app behind its limit. */
export async function limitedBy(limit: ConcurrencyLimit | null, app: AppSource): Promise<App> {
  const layers = await layersOfLimit(limit);
  return layers.length === 0 ? toApp(app) : compose(layers, app);
}

/** The layer of a limit, if there is one. */
export async function layersOfLimit(limit: ConcurrencyLimit | null): Promise<Middleware[]> {
  if (limit === null) return [];
  const { limitConcurrency } = await import("@gw/middleware/limit-concurrency");
  return [limitConcurrency(limit)];
}

function limitOf(
  name: string,
  { limit, maxQueued, queueTimeoutMs }: Record<"maxQueued" | "queueTimeoutMs", number | undefined> & { limit: number },
): ConcurrencyLimit | null {
  if (limit === 0) return null;
  return {
    name,
    limit,
    ...(maxQueued !== undefined && { maxQueued }),
    ...(queueTimeoutMs !== undefined && { queueTimeoutMs }),
  };
}
