// Which app answers where, read from the description of the pipeline. Pure.
import { type Description, findPlace, type RequestHead, splitMount, toBytes } from "@gw/core";

/** A place and the app in it. */
export interface Route {
  /** `/app`, `admin.example.com/x`; `null`: what no mount takes. */
  readonly place: string | null;
  /** What answers, in words. */
  readonly app: string;
  /** Layers around it, the outermost first. */
  readonly layers: readonly string[];
}

/** The routes of a pipeline, in the order in which places are looked at. */
export function routesOf(description: Description, layers: readonly string[] = []): readonly Route[] {
  const { kind, name, at, children = [] } = description;
  if (kind === "pipeline") {
    const own = children.filter((child) => child.kind === "layer").map((child) => child.name);
    const rest = children.filter((child) => child.kind !== "layer");
    return rest.flatMap((child) => routesOf(child, [...layers, ...own]));
  }
  if (kind === "mounts") return children.flatMap((child) => routesOf(child, layers));
  const [inner] = children;
  // What a mount says of the inside of its app is that app's business: one line for each place.
  if (at !== undefined && inner !== undefined)
    return routesOf(inner, layers)
      .slice(0, 1)
      .map((one) => ({ ...one, place: at }));
  return [{ place: at ?? null, app: kind === name ? name : `${kind} ${name}`, layers }];
}

/** Why a place has a request or not. */
export interface Verdict {
  readonly route: Route;
  readonly why: "takes it" | "another host" | "another path" | "a more precise place has it";
}

/** Goes through the routes as the gateway does for a request. */
export function explainRoutes(
  routes: readonly Route[],
  request: Pick<RequestHead, "path" | "server">,
): readonly Verdict[] {
  const places = routes.flatMap(({ place }) => (place === null ? [] : [place]));
  const chosen = findPlace(places)(request);
  return routes.map((route): Verdict => {
    const { place } = route;
    if (place === chosen) return { route, why: "takes it" };
    if (place === null || findPlace([place])(request) !== null) return { route, why: "a more precise place has it" };
    const path = place.includes("/") ? place.slice(place.indexOf("/")) : "";
    const isUnder = splitMount(request.path, toBytes(path.replace(/\/+$/, ""))) !== null;
    return { route, why: isUnder ? "another host" : "another path" };
  });
}
