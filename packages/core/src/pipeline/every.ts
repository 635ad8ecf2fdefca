// Several layers as one.
import type { Lifecycle, Middleware } from "../model/app.ts";
import { describeLayer, statusOf } from "./compose.ts";
import { lifecycleOf } from "./lifecycle.ts";

/** One layer out of several; the first is the outermost, as in `compose`. */
export function every(...layers: readonly Middleware[]): Middleware {
  return Object.assign<Middleware, GroupLife>(
    (next) => layers.reduceRight((handler, layer) => layer(handler), next),
    groupLife("every", layers),
  );
}

/** Life and description that a group of layers shows. */
export type GroupLife = Lifecycle & { readonly layerName: string };

/** The life of a group of layers under one name. */
export function groupLife(name: string, layers: readonly Middleware[]): GroupLife {
  return {
    layerName: name,
    ...lifecycleOf(layers),
    describe: () => ({ kind: "layer", name, children: layers.map(describeLayer) }),
    status: () => statusOf(name, layers),
  };
}
