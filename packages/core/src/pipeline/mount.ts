// An app at a place: a path by whole segments, a host, or both.
import type { App, AppSource, Handler, Middleware } from "../model/app.ts";
import type { GatewayRequest } from "../model/request.ts";
import { splitMount } from "../target/mount.ts";
import { toApp } from "./app-source.ts";
import { describeApp, statusOf } from "./compose.ts";
import { guard } from "./guard.ts";
import { hostOf, isInHost, type Place, parsePlace } from "./place.ts";
import { type VariablesFunction, withVariables } from "./variables.ts";

/** What a mount may be told. */
export interface MountOptions {
  /** Limit of request bodies here, bytes (R-H7). @default the carrier's, 10_000_000 */
  maxBodyBytes?: number;
  /** Variables that CGI, FastCGI, WSGI and ASGI apps here get: the only way claims and session values reach them. */
  variables?: VariablesFunction;
}

/** A mounted app: what `mount` and `gateway()` share. */
export interface Mounted {
  readonly place: Place;
  readonly app: App;
  /** Answers a request that `splitMounted` accepted. */
  readonly enter: (request: GatewayRequest, rest: string) => ReturnType<Handler>;
}

/**
 * Mounts an app: requests in the place go to it, all others go on.
 *
 * Inside, `mount` has grown by the path and `path` is the rest: under `/app`,
 * `/app/x` is `/x`, `/app` is `""` and `/application` is not in it. What the
 * app throws becomes a response here, so outer layers still run.
 *
 * @param where `/app`, `admin.example.com`, `*.example.com/app`; text
 * @throws GatewayError `GW_PLACE`, `GW_NOT_AN_APP`
 */
export function mount(where: string, app: AppSource, options: MountOptions = {}): Middleware {
  const mounted = mountedAt(where, app, options);
  const { start, stop, reload } = mounted.app;
  const wrap = (next: Handler): Handler => {
    return (request) => {
      const { place, enter } = mounted;
      if (place.host !== null && !isInHost(place, hostOf(request))) return next(request);
      const rest = splitMount(request.path, place.path);
      return rest === null ? next(request) : enter(request, rest);
    };
  };
  return Object.assign(wrap, {
    layerName: `mount ${where}`,
    ...(start && { start }),
    ...(stop && { stop }),
    ...(reload && { reload }),
    describe: () => describeMount(mounted),
    status: () => statusOf(mounted.place.text, [mounted.app]),
  });
}

/** Checks the place and the app, and guards the app. */
export function mountedAt(where: string, source: AppSource, { maxBodyBytes, variables }: MountOptions): Mounted {
  const place = parsePlace(where);
  const app = toApp(source);
  const guarded = guard(app.handle);
  return {
    place,
    app,
    enter(request, rest) {
      if (maxBodyBytes !== undefined) request.exchange.maxBodyBytes = maxBodyBytes;
      const inside = place.path === "" ? request : { ...request, mount: request.mount + place.path, path: rest };
      return guarded(variables === undefined ? inside : withVariables(inside, variables));
    },
  };
}

/** A mount as `gw routes` shows it. */
export function describeMount({ place, app }: Mounted): {
  kind: string;
  name: string;
  at: string;
  children: ReturnType<typeof describeApp>[];
} {
  return { kind: "mount", name: place.text, at: place.text, children: [describeApp(app)] };
}
