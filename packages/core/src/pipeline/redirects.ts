// Old addresses that send clients to new ones.
import type { Middleware } from "../model/app.ts";
import { HeaderList } from "../model/headers.ts";
import type { GatewayRequest } from "../model/request.ts";
import { encodeByte, encodePath } from "../target/raw.ts";
import { locationValue } from "./answers.ts";
import { layer } from "./layer.ts";
import { badRule, NOT_QUERY_VALUE, type PathRules, readPathRules } from "./path-rules.ts";

/** What `redirects` may be told. */
export interface RedirectsOptions {
  /** 308 keeps the method and is remembered by browsers for long; 307 is not; 301 and 302 turn POST into GET. @default 308 */
  status?: 301 | 302 | 303 | 307 | 308;
}

/**
 * Redirects paths: `redirects({ "/old": "/new", "/docs/*": "https://docs.example.com/*" })`.
 *
 * Keys are paths under the mount. A value is a path, under the mount too, or a
 * URL; the request's query goes along unless the value has one. Whatever a
 * client puts into `*`, a path stays on this site and a URL on its host (R-M12).
 *
 * @throws GatewayError `GW_PATH_RULE` for a bad table.
 */
export function redirects(rules: PathRules, { status = 308 }: RedirectsOptions = {}): Middleware {
  const targets = new Map(Object.entries(rules).map(([from, to]) => [to, readTarget(from, to)]));
  const find = readPathRules(rules);
  return layer({
    name: "redirects",
    onRequest(request) {
      const match = find(request.path);
      if (match === null) return request;
      const location = locationOf(targets.get(match.to) as Target, match.rest ?? "", request);
      return { kind: "response", status, headers: HeaderList.fromWire(["Location", location]), body: null };
    },
  });
}

/** The parts of a rule's value, percent-encoded; `*` may stand in path and query. */
interface Target {
  /** `https://docs.example.com`, or `""` for a path under the mount. */
  readonly site: string;
  readonly path: string;
  /** With its `?`; `null`: the request's query goes along. */
  readonly query: string | null;
  /** With its `#`, or `""`. */
  readonly fragment: string;
}

/** `*` stands where it can change neither scheme nor host: as the last segment, or in the query. */
const TARGET = /^(https?:\/\/[^/?#*\\\s]+)?(\/(?!\/)(?:[^*?#\\]*\/)?(?:\*|[^*?#\\]*))(\?[^#]*)?(#[^*]*)?$/i;

function readTarget(from: string, to: string): Target {
  const parts = TARGET.exec(locationValue(to));
  if (parts === null) {
    throw badRule(
      from,
      to,
      "a target is a path or http(s) URL with a path, with * only as its last segment or in its query",
    );
  }
  return { site: parts[1] ?? "", path: parts[2] as string, query: parts[3] ?? null, fragment: parts[4] ?? "" };
}

function locationOf({ site, path, query, fragment }: Target, rest: string, request: GatewayRequest): string {
  const mount = site === "" ? encodePath(request.mount) : "";
  const fullPath = mount + path.replace("*", () => encodePath(rest));
  const own = request.query === "" ? "" : `?${request.query.replace(/[^\u0021-\u007e]/g, encodeByte)}`;
  const fullQuery = query?.replaceAll("*", () => rest.replace(NOT_QUERY_VALUE, encodeByte)) ?? own;
  // Paths have no empty segment here; a rest that starts with a slash must still not make a host of itself.
  return site + fullPath.replace(/^[/\\]{2,}/, "/") + fullQuery + fragment;
}
