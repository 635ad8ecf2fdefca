import { expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import type { GatewayRequest } from "../model/request.ts";
import { testRequest, testSocket } from "../testing/builders.ts";
import { edgeRules, requestRules } from "./request-rules.ts";
import { checkRules, type LintError } from "./rule.ts";

const rules = [...requestRules, ...edgeRules];

/** Id and finding of the first broken rule; `null` if all are kept. */
function broken(request: unknown): { rule: string; message: string } | null {
  let found: LintError | null = null;
  checkRules(rules, request as GatewayRequest, {
    code: "GW_LINT_REQUEST",
    layer: "the test",
    report: (error) => {
      found = error;
    },
  });
  return found;
}

const fields = (name: string, value: string): HeaderList => HeaderList.fromWire([name, value]);

class Request {}
const withGetter = (): object =>
  Object.defineProperty({ ...testRequest() }, "path", { get: () => "/", enumerable: true });

test.each([
  { why: "a plain request", request: testRequest("/a%20b?c=d") },
  { why: "a request with a body", request: testRequest("/", { method: "POST", body: "x" }) },
  { why: "a mounted request", request: testRequest("/app", { mount: "/app" }) },
  { why: "an own method", request: testRequest("/", { method: "propfind" }) },
  { why: "OPTIONS *", request: testRequest("*", { method: "OPTIONS" }) },
  { why: "a socket", request: testSocket("/chat", { subprotocols: ["v1", "v2"] }) },
  {
    why: "a request with everything",
    request: testRequest("/\u00e9", {
      scheme: "https",
      principal: { user: "u", type: "Basic", groups: ["g"], claims: {} },
      params: { A: "1" },
      client: { path: "" },
      server: { path: "/run/x" },
    }),
  },
  { why: "a request of nobody known", request: testRequest("/", { client: null }) },
])("$why keeps all rules", ({ request }) => {
  expect(broken(request)).toBeNull();
});

const cases: readonly (readonly [rule: string, found: string, request: unknown])[] = [
  ["request-plain", "undefined", undefined],
  ["request-plain", "an object Request", Object.assign(new Request(), testRequest())],
  ["request-plain", "path is a getter", withGetter()],
  ["request-kind", "undefined", { ...testRequest(), kind: undefined }],
  ["request-method", '""', { ...testRequest(), method: "" }],
  ["request-method", '"GET /"', { ...testRequest(), method: "GET /" }],
  ["request-scheme", '"ws"', { ...testSocket(), scheme: "ws" }],
  ["request-target", '""', { ...testRequest(), target: "" }],
  ["request-target", '"/a b"', { ...testRequest(), target: "/a b" }],
  ["request-target", '"/안"', { ...testRequest(), target: "/안" }],
  ["request-mount", '"/"', { ...testRequest(), mount: "/" }],
  ["request-mount", '"/app/"', { ...testRequest(), mount: "/app/" }],
  ["request-mount", '"app"', { ...testRequest(), mount: "app" }],
  ["request-path", '"a"', { ...testRequest(), path: "a" }],
  ["request-path", '"/안"', { ...testRequest(), path: "/안" }],
  ["request-path", '"*"', { ...testRequest(), path: "*" }],
  ["request-path-resolved", '"//a"', { ...testRequest(), path: "//a" }],
  ["request-path-resolved", '"/a/../b"', { ...testRequest(), mount: "/a", path: "/../b" }],
  ["request-path-resolved", '"/."', { ...testRequest(), path: "/." }],
  ["request-path-resolved", "/\\u0000", { ...testRequest(), path: "/\0" }],
  ["request-query", "undefined", { ...testRequest(), query: undefined }],
  ["request-query", "a\\r\\n", { ...testRequest(), query: "a\r\n" }],
  ["request-protocol", '"HTTP/2"', { ...testRequest(), protocol: "HTTP/2" }],
  ["request-headers", "an object", { ...testRequest(), headers: { host: "x" } }],
  ["request-headers", '"X Y"', { ...testRequest(), headers: fields("X Y", "") }],
  ["request-headers", "the value of X", { ...testRequest(), headers: fields("X", "a\nb") }],
  ["request-body", "null", { ...testRequest(), body: null }],
  ["request-body", "an object", { ...testRequest(), body: { ...testRequest().body, length: -1 } }],
  ["request-addresses", "client is undefined", { ...testRequest(), client: undefined }],
  ["request-addresses", 'client is {"host":"","port":1}', { ...testRequest(), client: { host: "", port: 1 } }],
  ["request-addresses", "server is null", { ...testRequest(), server: null }],
  ["request-addresses", '"port":"80"', { ...testRequest(), server: { host: "h", port: "80" } }],
  ["request-tls", "undefined", { ...testRequest(), tls: undefined }],
  ["request-principal", "an object", { ...testRequest(), principal: { user: "", type: "", groups: [], claims: {} } }],
  ["request-principal", '"zoé"', { ...testRequest(), principal: "zoé" }],
  ["request-params", "an object", { ...testRequest(), params: {} }],
  ["request-params", "an object Map", { ...testRequest(), params: new Map([["A", 1]]) }],
  ["request-state", "undefined", { ...testRequest(), state: undefined }],
  ["request-signal", "null", { ...testRequest(), signal: null }],
  ["request-exchange", "an object", { ...testRequest(), exchange: {} }],
  ["socket-opening", "POST with a body of 0 bytes", { ...testSocket(), method: "POST" }],
  ["socket-opening", "GET with a body of 1 bytes", { ...testSocket(), body: testRequest("/", { body: "x" }).body }],
  ["socket-subprotocols", "undefined", { ...testSocket(), subprotocols: undefined }],
  ["socket-subprotocols", "an array of 1", { ...testSocket(), subprotocols: ["a b"] }],
  ["socket-subprotocols", "an array of 0", { ...testRequest(), subprotocols: [] }],
  ["request-identity", "X_Remote_User", { ...testRequest(), headers: fields("X_Remote_User", "root") }],
];

test.each(cases)("%s is broken by %s", (rule, found, request) => {
  expect(broken(request)).toMatchObject({
    rule,
    layer: "the test",
    code: "GW_LINT_REQUEST",
    message: expect.stringContaining(found),
  });
});

test("each rule is shown to break", () => {
  expect(new Set(cases.map(([rule]) => rule))).toEqual(new Set(rules.map(({ id }) => id)));
});

test("an error says who broke which sentence, and what was found", () => {
  expect(broken({ ...testRequest(), scheme: "ws" })?.message).toBe(
    'the test breaks the rule "`scheme` is `http` or `https`, for sockets too." (request-scheme): "ws"',
  );
});
