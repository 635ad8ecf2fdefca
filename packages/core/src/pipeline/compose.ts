// Layers around an app, folded once at start.
import type { App, AppSource, Description, Lifecycle, Middleware, Status } from "../model/app.ts";
import { toApp } from "./app-source.ts";
import { lifecycleOf } from "./lifecycle.ts";

/**
 * An app inside layers: the first layer is the outermost.
 *
 * Starting it starts the layers from the outside in, then the app; stopping goes the other way.
 */
export function compose(layers: readonly Middleware[], app: AppSource): App {
  const inner = toApp(app);
  let handle = inner.handle;
  for (let at = layers.length - 1; at >= 0; at--) handle = (layers[at] as Middleware)(handle);
  const parts: readonly Lifecycle[] = [...layers, inner];
  return {
    handle,
    ...lifecycleOf(parts),
    describe: () => ({
      kind: "pipeline",
      name: "pipeline",
      children: [...layers.map(describeLayer), describeApp(inner)],
    }),
    status: () => statusOf("pipeline", parts),
  };
}

/** What a layer says of itself, or its name. */
export function describeLayer(layer: Middleware): Description {
  return layer.describe?.() ?? { kind: "layer", name: layer.layerName ?? (layer.name || "layer") };
}

/** What an app says of itself, or the name of its handler function, or "app". */
export function describeApp(app: App): Description {
  const { name } = app.handle;
  return app.describe?.() ?? { kind: "app", name: name === "" || name === "handle" ? "app" : name };
}

const ORDER = ["ready", "stopped", "starting", "degraded", "failed"] as const;

/** The statuses of parts as one: its state is the worst of theirs. */
export function statusOf(name: string, parts: readonly Lifecycle[]): Status {
  const children = parts.map((part) => part.status?.()).filter((status) => status !== undefined);
  const worst = children.reduce<Status | null>(
    (found, one) => (found === null || ORDER.indexOf(one.state) > ORDER.indexOf(found.state) ? one : found),
    null,
  );
  return { name, state: worst?.state ?? "ready", error: worst?.error ?? null, children };
}
