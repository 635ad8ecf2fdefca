// The gateway builder: layers around mounts, the most precise mount first, one app for the rest.
import type { App, AppSource, Handler, Middleware } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import type { GatewayRequest } from "../model/request.ts";
import { splitMount } from "../target/mount.ts";
import { toApp } from "./app-source.ts";
import { compose, describeApp, statusOf } from "./compose.ts";
import { errorAnswer } from "./error-answer.ts";
import { guard } from "./guard.ts";
import { lifecycleOf } from "./lifecycle.ts";
import { describeMount, type Mounted, type MountOptions, mountedAt } from "./mount.ts";
import { comparePlaces, hostOf, isInHost } from "./place.ts";

/** An app under construction. Each step gives a new gateway; the old one stays as it was. */
export interface Gateway extends App {
  /** Adds layers, inside those added before. All layers are around all mounts, whatever the order of the calls. */
  use(...layers: readonly Middleware[]): Gateway;
  /**
   * Mounts an app at a path, a host or both. The most precise place wins: an exact host before `*.host` before none, then the longest path.
   *
   * @throws GatewayError `GW_PLACE`, `GW_NOT_AN_APP`, or `GW_MOUNT_TWICE` if the place is taken.
   */
  mount(where: string, app: AppSource, options?: MountOptions): Gateway;
  /**
   * Names the app that gets what no mount takes. It starts nothing.
   *
   * @throws GatewayError `GW_NOT_AN_APP`, `GW_RUN_TWICE`
   */
  run(app: AppSource): Gateway;
}

/**
 * Starts building a gateway. The result is an `App`: serve it, mount it, export it from `gw.config.ts`.
 *
 * What no mount and no last app takes is answered 404.
 */
export function gateway(): Gateway {
  return build({ layers: [], mounts: [], last: null });
}

interface Parts {
  readonly layers: readonly Middleware[];
  /** Most precise first. */
  readonly mounts: readonly Mounted[];
  readonly last: App | null;
}

function build(parts: Parts): Gateway {
  const { layers, mounts, last } = parts;
  return {
    ...compose(layers, switchboard(mounts, last)),
    use: (...more) => build({ ...parts, layers: [...layers, ...more] }),
    mount(where, app, options = {}) {
      const mounted = mountedAt(where, app, options);
      if (mounts.some(({ place }) => comparePlaces(place, mounted.place) === 0 && isSame(place, mounted.place))) {
        throw new GatewayError("GW_MOUNT_TWICE", 500, `${where} is mounted already`);
      }
      return build({ ...parts, mounts: [...mounts, mounted].sort((a, b) => comparePlaces(a.place, b.place)) });
    },
    run(app) {
      if (last !== null) throw new GatewayError("GW_RUN_TWICE", 500, "run() names the last app; it was named already");
      return build({ ...parts, last: toApp(app) });
    },
  };
}

function isSame(a: Mounted["place"], b: Mounted["place"]): boolean {
  return a.host === b.host && a.isWildcard === b.isWildcard && a.path === b.path;
}

/** The mounts and the last app as one app. */
function switchboard(mounts: readonly Mounted[], last: App | null): App {
  const rest: Handler = last === null ? notFound : guard(last.handle);
  const mountsFor = byHost(mounts);
  const apps = last === null ? mounts.map(({ app }) => app) : [...mounts.map(({ app }) => app), last];
  return {
    handle(request) {
      for (const mounted of mountsFor(request)) {
        const path = splitMount(request.path, mounted.place.path);
        if (path !== null) return mounted.enter(request, path);
      }
      return rest(request);
    },
    ...lifecycleOf(apps),
    describe: () => ({
      kind: "mounts",
      name: "mounts",
      children: last === null ? mounts.map(describeMount) : [...mounts.map(describeMount), describeApp(last)],
    }),
    // By place, so that whoever looks on knows which mount is down.
    status: () =>
      statusOf("mounts", [
        ...mounts.map(({ place, app }) => ({ status: () => statusOf(place.text, [app]) })),
        ...(last === null ? [] : [last]),
      ]),
  };
}

/** The mounts that a request's host allows, most precise first; found by a look-up, so that thousands of hosts cost nothing. */
function byHost(mounts: readonly Mounted[]): (request: GatewayRequest) => readonly Mounted[] {
  const anyHost = mounts.filter(({ place }) => place.host === null);
  if (anyHost.length === mounts.length) return () => mounts;
  const hosts = new Set(mounts.flatMap(({ place }) => place.host ?? []));
  const below = (host: string): Mounted[] => mounts.filter(({ place }) => isInHost(place, host));
  const exact = new Map([...hosts].map((host) => [host, below(host)]));
  // A host that no mount names can only be below a wildcard, and then all hosts below the longest one are alike: as `*.`,
  // which is no host's name.
  const wildcards = mounts.filter(({ place }) => place.isWildcard);
  const belowWildcard = new Map(wildcards.map(({ place }) => [place, below(`*.${place.host}`)]));
  return (request) => {
    const host = hostOf(request);
    const found = exact.get(host);
    if (found !== undefined) return found;
    const wildcard = wildcards.find(({ place }) => isInHost(place, host));
    return wildcard === undefined ? anyHost : (belowWildcard.get(wildcard.place) as Mounted[]);
  };
}

function notFound(request: GatewayRequest): ReturnType<typeof errorAnswer> {
  return errorAnswer(new GatewayError("GW_NOT_FOUND", 404, "nothing is mounted here"), request);
}
