// Another path for the layers and apps further in.
import { toBytes } from "../bytes/byte-string.ts";
import type { Middleware } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import type { GatewayRequest } from "../model/request.ts";
import { encodeByte } from "../target/raw.ts";
import { layer } from "./layer.ts";
import { badRule, NOT_QUERY_VALUE, type PathRules, readPathRules } from "./path-rules.ts";

/** The new path as text, with a query if wanted; `null`: no change. */
export type RewriteFunction = (request: GatewayRequest) => string | null;

/**
 * Changes the path under the mount, for what is further in: `rewrite({ "/blog/*": "/index.php?page=*" })`.
 *
 * `request.target` stays as received. A query in the new path is put before
 * the request's own. The new path is text, not percent-encoded; it is used as
 * it is, so it must already be in the form guards have seen (R-M16).
 *
 * @throws GatewayError `GW_PATH_RULE` for a bad table; per request `GW_REWRITE` (500) for a function's result that is no clean path.
 */
export function rewrite(rules: PathRules | RewriteFunction): Middleware {
  const change = typeof rules === "function" ? byFunction(rules) : byTable(rules);
  return layer({ name: "rewrite", onRequest: change });
}

type Change = (request: GatewayRequest) => GatewayRequest;

function byFunction(rule: RewriteFunction): Change {
  return (request) => {
    const to = rule(request);
    if (to === null) return request;
    const { path, query } = split(to);
    if (!isClean(path)) {
      throw new GatewayError(
        "GW_REWRITE",
        500,
        `expected a path without empty or dot segments, found ${JSON.stringify(to)}`,
      );
    }
    return moved(request, toBytes(path), toBytes(query));
  };
}

function byTable(rules: PathRules): Change {
  for (const [from, to] of Object.entries(rules)) {
    const { path, query } = split(to);
    if (!isClean(path.replace(/\/\*$/, "/")) || path.replace(/\/\*$/, "").includes("*")) {
      throw badRule(from, to, "a path has no empty or dot segment, and * only at its end, after a slash");
    }
    if (/[^\u0021-\u007e]|#/.test(query)) throw badRule(from, to, "a query is percent-encoded");
  }
  const find = readPathRules(rules);
  return (request) => {
    const match = find(request.path);
    if (match === null) return request;
    const { path, query } = split(match.to);
    const rest = match.rest ?? "";
    const newPath = path.endsWith("/*") ? toBytes(path.slice(0, -1)) + rest : toBytes(path);
    return moved(
      request,
      newPath,
      query.replaceAll("*", () => rest.replace(NOT_QUERY_VALUE, encodeByte)),
    );
  };
}

function split(to: string): { path: string; query: string } {
  const mark = to.indexOf("?");
  return mark === -1 ? { path: to, query: "" } : { path: to.slice(0, mark), query: to.slice(mark + 1) };
}

function isClean(path: string): boolean {
  return path.startsWith("/") && !/\/(?:\/|\.{1,2}(?:\/|$))|[\u0000#]/.test(path);
}

function moved(request: GatewayRequest, path: string, query: string): GatewayRequest {
  if (query === "") return { ...request, path };
  return { ...request, path, query: request.query === "" ? query : `${query}&${request.query}` };
}
