// What a server must put into a scope (ASGI 3.0; HTTP & WebSocket message format 2.5; lifespan 2.0), as rules.
import type { LintRule } from "@gw/core/lint";
import { badPairs, firstHeader, isDict, show } from "./found.ts";

/** A scope, unchecked. */
export type ScopeSubject = Readonly<Record<string, unknown>>;

const isConnection = ({ type }: ScopeSubject): boolean => type === "http" || type === "websocket";
const isBytes = (value: unknown): boolean => value instanceof Uint8Array;
const isText = (value: unknown): boolean => typeof value === "string";

/** The rules for a scope. They are the server's to keep. */
export const scopeRules: readonly LintRule<ScopeSubject>[] = [
  {
    id: "asgi-scope-dict",
    sentence: "scope must be a dict",
    check: (scope) => (isDict(scope) ? null : show(scope)),
  },
  {
    id: "asgi-scope-type",
    sentence: 'The key scope["type"] will always be present, and can be used to work out which protocol is incoming.',
    check: ({ type }) => (isText(type) && type !== "" ? null : show(type)),
  },
  {
    id: "asgi-scope-version",
    sentence:
      'The key scope["asgi"] will also be present as a dictionary containing a scope["asgi"]["version"] key that corresponds to the ASGI version the server implements.',
    check: ({ asgi }) => (isDict(asgi) && isText(asgi.version) ? null : show(asgi)),
  },
  connectionRule(
    "path",
    "path: HTTP request target excluding any query string, with percent-encoded sequences and UTF-8 byte sequences decoded into characters.",
    isText,
  ),
  connectionRule("query_string", "query_string (byte string): URL portion after the ?, percent-encoded.", isBytes),
  optionalRule(
    "raw_path",
    "raw_path (byte string): The original HTTP path component … Optional; if missing defaults to None.",
    isBytes,
  ),
  optionalRule(
    "root_path",
    'root_path (Unicode string): The root path this application is mounted at … Optional; if missing defaults to "".',
    isText,
  ),
  {
    id: "asgi-scope-scheme",
    sentence: "scheme: URL scheme portion … Optional (but must not be empty)",
    check: ({ scheme }) => (scheme === undefined || (isText(scheme) && scheme !== "") ? null : show(scheme)),
  },
  {
    id: "asgi-scope-method",
    sentence: "method (Unicode string): The HTTP method name, uppercased.",
    check({ type, method }) {
      const isRight =
        type !== "http" || (typeof method === "string" && method !== "" && method === method.toUpperCase());
      return isRight ? null : show(method);
    },
  },
  {
    id: "asgi-scope-http-version",
    sentence: 'http_version (Unicode string): One of "1.0", "1.1" or "2".',
    check({ type, http_version: version }) {
      const isRight = type !== "http" || version === "1.0" || version === "1.1" || version === "2";
      return isRight ? null : show(version);
    },
  },
  {
    id: "asgi-scope-headers",
    sentence:
      "headers: An iterable of [name, value] two-item iterables, where name is the header name, and value is the header value. (byte strings)",
    check: (scope) => (isConnection(scope) ? badPairs(scope.headers ?? null) : null),
  },
  {
    id: "asgi-scope-header-case",
    sentence: "Header names should be lowercased",
    check: (scope) => (isConnection(scope) ? firstHeader(scope.headers, (name) => name !== name.toLowerCase()) : null),
  },
  {
    id: "asgi-scope-pseudo-headers",
    sentence: "Pseudo headers (present in HTTP/2 and HTTP/3) must be removed",
    check: (scope) => (isConnection(scope) ? firstHeader(scope.headers, (name) => name.startsWith(":")) : null),
  },
  {
    id: "asgi-scope-client",
    sentence:
      "client: A two-item iterable of [host, port], where host is the remote host's IPv4 or IPv6 address, and port is the remote port as an integer. Optional",
    check: ({ client }) => (isAddress(client, false) ? null : show(client)),
  },
  {
    id: "asgi-scope-server",
    sentence:
      "server: Either a two-item iterable of [host, port] … or [path, None] where path is that of the unix socket. Optional",
    check: ({ server }) => (isAddress(server, true) ? null : show(server)),
  },
  {
    id: "asgi-scope-subprotocols",
    sentence: "subprotocols (Iterable[Unicode string]): Subprotocols the client advertised. Optional",
    check({ type, subprotocols }) {
      const isRight =
        type !== "websocket" ||
        subprotocols === undefined ||
        (Array.isArray(subprotocols) && subprotocols.every(isText));
      return isRight ? null : show(subprotocols);
    },
  },
  {
    id: "asgi-scope-state",
    sentence:
      "state Optional(dict[Unicode string, Any]): A copy of the namespace passed into the lifespan corresponding to this request.",
    check: ({ state }) => (state === undefined || isDict(state) ? null : show(state)),
  },
  {
    id: "asgi-scope-extensions",
    sentence: "Extensions … an extensions entry in the scope dictionary, which is itself a dict",
    check: ({ extensions }) =>
      extensions === undefined || extensions === null || isDict(extensions) ? null : show(extensions),
  },
];

function connectionRule(key: string, sentence: string, isRight: (value: unknown) => boolean): LintRule<ScopeSubject> {
  return {
    id: `asgi-scope-${key.replace("_", "-")}`,
    sentence,
    check: (scope) => (!isConnection(scope) || isRight(scope[key]) ? null : show(scope[key])),
  };
}

function optionalRule(key: string, sentence: string, isRight: (value: unknown) => boolean): LintRule<ScopeSubject> {
  return connectionRule(key, sentence, (value) => value === undefined || value === null || isRight(value));
}

function isAddress(value: unknown, isPortOptional: boolean): boolean {
  if (value === undefined || value === null) return true;
  if (!Array.isArray(value) || value.length !== 2 || !isText(value[0])) return false;
  return Number.isInteger(value[1]) || (isPortOptional && value[1] === null);
}
