// The request model, as rules. They are the outer side's to keep: the carrier's, or the layer's that made the copy.
import { isIdentityHeader } from "../headers/identity.ts";
import { isToken } from "../headers/syntax.ts";
import type { GatewayRequest } from "../model/request.ts";
import { hasMethods, isByteString, show, whyNotHeaders, whyNotPlain } from "./found.ts";
import type { LintRule } from "./rule.ts";

type RequestRule = LintRule<GatewayRequest>;

/** What is wrong unless the claim holds. */
const unless = (isKept: boolean, value: unknown): string | null => (isKept ? null : show(value));

const record: readonly RequestRule[] = [
  {
    id: "request-plain",
    sentence: "A request is a plain record: own properties only, no getters, no class.",
    check: whyNotPlain,
  },
  {
    id: "request-kind",
    sentence: "`kind` is `http` or `websocket`.",
    check: ({ kind }) => unless(kind === "http" || kind === "websocket", kind),
  },
  {
    id: "request-method",
    sentence: "`method` is a token, as sent.",
    check: ({ method }) => unless(typeof method === "string" && isToken(method), method),
  },
  {
    id: "request-scheme",
    sentence: "`scheme` is `http` or `https`, for sockets too.",
    check: ({ scheme }) => unless(scheme === "http" || scheme === "https", scheme),
  },
  {
    id: "request-target",
    sentence: "`target` is the request-target as received: bytes, not empty, without blanks and control bytes.",
    check: ({ target }) => unless(typeof target === "string" && /^[\u0021-\u007e\u0080-\u00ff]+$/.test(target), target),
  },
  {
    id: "request-mount",
    sentence: "`mount` is empty, or starts with a slash and does not end with one.",
    check: ({ mount }) => unless(isByteString(mount) && /^(?:|\/.*[^/])$/s.test(mount), mount),
  },
  {
    id: "request-path",
    sentence: "`path` is empty or starts with a slash; it is `*` for the server as a whole, which only OPTIONS asks.",
    check: ({ path, method, mount }) =>
      unless(
        isByteString(path) && (path === "*" ? method === "OPTIONS" && mount === "" : /^(?:|\/.*)$/s.test(path)),
        path,
      ),
  },
  {
    id: "request-path-resolved",
    sentence: "`mount` and `path` are decoded, and have no dot segments, no repeated slashes and no NUL.",
    check: ({ mount, path }) => unless(!/\/\/|\/\.\.?(?:\/|$)|\0/.test(mount + path), mount + path),
  },
  {
    id: "request-query",
    sentence: "`query` is what follows the question mark, not decoded: bytes without control bytes.",
    check: ({ query }) => unless(isByteString(query) && !/[\u0000-\u001f\u007f]/.test(query), query),
  },
  {
    id: "request-protocol",
    sentence: "`protocol` is written as in SERVER_PROTOCOL: `HTTP/1.1`, `HTTP/2.0`.",
    check: ({ protocol }) => unless(typeof protocol === "string" && /^HTTP\/[0-9]\.[0-9]$/.test(protocol), protocol),
  },
  {
    id: "request-headers",
    sentence: "`headers` is a HeaderList of legal names and values.",
    check: ({ headers }) => whyNotHeaders(headers),
  },
];

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isAddress(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { host, port, path } = value as { host?: unknown; port?: unknown; path?: unknown };
  if (path !== undefined) return typeof path === "string" && host === undefined && port === undefined;
  return typeof host === "string" && host !== "" && isCount(port) && (port as number) < 65_536;
}

function isPrincipal(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { user, type, groups, claims } = value as Record<string, unknown>;
  const areGroups = Array.isArray(groups) && groups.every((group) => typeof group === "string");
  const areClaims = typeof claims === "object" && claims !== null;
  return typeof user === "string" && user !== "" && typeof type === "string" && areGroups && areClaims;
}

function isBody(value: unknown): boolean {
  if (!hasMethods(value, Symbol.asyncIterator)) return false;
  const { length, replayable, readSync, trailers } = value as Record<string, unknown>;
  const areFunctions = [readSync, trailers].every((one) => one === undefined || typeof one === "function");
  return (length === null || isCount(length)) && typeof replayable === "boolean" && areFunctions;
}

const parts: readonly RequestRule[] = [
  {
    id: "request-body",
    sentence: "`body` is an async iterable with `length` (a count of bytes, or null) and `replayable`.",
    check: ({ body }) => unless(isBody(body), body),
  },
  {
    id: "request-addresses",
    sentence: "`server` is an address, a host and a port or the path of a socket; `client` is one too, or null.",
    check({ client, server }) {
      if (client !== null && !isAddress(client)) return `client is ${JSON.stringify(client)}`;
      return isAddress(server) ? null : `server is ${JSON.stringify(server)}`;
    },
  },
  {
    id: "request-tls",
    sentence: "`tls` is null, or has `version`, `cipher`, `serverName` and `peerCertificates()`.",
    check: ({ tls }) =>
      unless(tls === null || (hasMethods(tls, "peerCertificates") && typeof tls.version === "string"), tls),
  },
  {
    id: "request-principal",
    sentence:
      "`principal` is null, or has `user` (not empty), `type`, `groups` and `claims`; set by a layer, never by a header.",
    check: ({ principal }) => unless(principal === null || isPrincipal(principal), principal),
  },
  {
    id: "request-params",
    sentence: "`params` is a map of strings.",
    check: ({ params }) =>
      unless(
        hasMethods(params, "get", "entries") && [...params].flat().every((one) => typeof one === "string"),
        params,
      ),
  },
  {
    id: "request-state",
    sentence: "`state` can be read with `get` and extended with `with`.",
    check: ({ state }) => unless(hasMethods(state, "get", "with"), state),
  },
  {
    id: "request-signal",
    sentence: "`signal` is an AbortSignal.",
    check: ({ signal }) => unless(hasMethods(signal, "addEventListener", "throwIfAborted"), signal),
  },
  {
    id: "request-exchange",
    sentence: "`exchange` has `dispatch`, `onEnd` and a limit `maxBodyBytes` that is not negative.",
    check: ({ exchange }) => unless(hasMethods(exchange, "dispatch", "onEnd") && exchange.maxBodyBytes >= 0, exchange),
  },
];

const sockets: readonly RequestRule[] = [
  {
    id: "socket-opening",
    sentence: "A socket's opening has the method GET and an empty body on every carrier.",
    check: ({ kind, method, body }) =>
      kind === "http" || (method === "GET" && body.length === 0)
        ? null
        : `${method} with a body of ${body.length} bytes`,
  },
  {
    id: "socket-subprotocols",
    sentence: "An opening lists in `subprotocols` the tokens that the client offers; a request has no such property.",
    check(request) {
      const offered: unknown = (request as { subprotocols?: unknown }).subprotocols;
      if (request.kind === "http") return unless(offered === undefined, offered);
      return unless(Array.isArray(offered) && offered.every((one) => typeof one === "string" && isToken(one)), offered);
    },
  },
];

/** The rules of a request. */
export const requestRules: readonly RequestRule[] = [...record, ...parts, ...sockets];

/** Rules of a request that comes straight from a carrier. */
export const edgeRules: readonly RequestRule[] = [
  {
    id: "request-identity",
    sentence: "A carrier hands on no identity header, in whatever spelling (`Remote-User`, `X_Forwarded_User`).",
    check: ({ headers }) => headers.toFlat().find((name, at) => at % 2 === 0 && isIdentityHeader(name)) ?? null,
  },
];
