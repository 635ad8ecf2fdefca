import { describe, expect, test } from "vitest";
import { toBytes } from "../bytes/byte-string.ts";
import { emptyBody } from "../model/body.ts";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import type { HttpRequest } from "../model/request.ts";
import { type TestRequestInit, testRequest } from "../testing/builders.ts";
import { type WriteVariablesOptions, writeVariables } from "./write.ts";

const software = "gw/1.0.0";
const kinds = ["cgi", "fastcgi", "wsgi"] as const;

function write(request: HttpRequest, options: Partial<WriteVariablesOptions> = {}): Record<string, string> {
  return writeVariables(request, { interface: "cgi", software, ...options });
}

const withHeaders = (headers: HeaderInit): HttpRequest => ({ ...testRequest(), headers: HeaderList.from(headers) });
const user = { user: "zoé", type: "Basic", groups: [], claims: {} };

test("R-C1: writes the variables of RFC 3875 §4.1 and the usual ones beside them", () => {
  const request = testRequest("/app/x%20y?a=%20b", {
    method: "POST",
    mount: "/app",
    scheme: "https",
    protocol: "HTTP/2.0",
    headers: { Host: "example.com", "Content-Type": "text/plain", "User-Agent": "t" },
    body: "hello",
    client: { host: "192.0.2.7", port: 5555 },
    server: { host: "example.com", port: 443 },
    principal: user,
  });
  expect(write(request)).toEqual({
    AUTH_TYPE: "Basic",
    CONTENT_LENGTH: "5",
    CONTENT_TYPE: "text/plain",
    GATEWAY_INTERFACE: "CGI/1.1",
    HTTPS: "on",
    HTTP_HOST: "example.com",
    HTTP_USER_AGENT: "t",
    PATH_INFO: "/x y",
    QUERY_STRING: "a=%20b",
    REMOTE_ADDR: "192.0.2.7",
    REMOTE_PORT: "5555",
    REMOTE_USER: toBytes("zoé"),
    REQUEST_METHOD: "POST",
    REQUEST_SCHEME: "https",
    REQUEST_URI: "/app/x%20y?a=%20b",
    SCRIPT_NAME: "/app",
    SERVER_NAME: "example.com",
    SERVER_PORT: "443",
    SERVER_PROTOCOL: "HTTP/2.0",
    SERVER_SOFTWARE: software,
  });
});

test("R-C1: a bare request has QUERY_STRING and PATH_INFO, and nothing that it did not say", () => {
  expect(write(withHeaders({}))).toEqual({
    GATEWAY_INTERFACE: "CGI/1.1",
    PATH_INFO: "/",
    QUERY_STRING: "",
    REMOTE_ADDR: "127.0.0.1",
    REMOTE_PORT: "50000",
    REQUEST_METHOD: "GET",
    REQUEST_SCHEME: "http",
    REQUEST_URI: "/",
    SCRIPT_NAME: "",
    SERVER_NAME: "localhost",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: software,
  });
});

test("WSGI has no GATEWAY_INTERFACE, the others have", () => {
  expect(kinds.map((kind) => write(testRequest(), { interface: kind }).GATEWAY_INTERFACE)).toEqual([
    "CGI/1.1",
    "CGI/1.1",
    undefined,
  ]);
});

test("every value is a string, and the record is new each time", () => {
  const request = testRequest("/", { body: "x" });
  for (const value of Object.values(write(request))) expect(typeof value).toBe("string");
  expect(write(request)).not.toBe(write(request));
});

describe("paths", () => {
  const path = (target: string, mount: string): HttpRequest => testRequest(target, { mount });

  test.each([
    { target: "/app", mount: "/app", options: {}, script: "/app", info: "" },
    { target: "/app/", mount: "/app", options: {}, script: "/app", info: "/" },
    { target: "/x.cgi/a", mount: "", options: { scriptName: "/x.cgi" }, script: "/x.cgi", info: "/a" },
    { target: "/cgi/x.cgi/a", mount: "/cgi", options: { scriptName: "/cgi/x.cgi" }, script: "/cgi/x.cgi", info: "/a" },
    {
      target: "/blog/",
      mount: "/blog",
      options: { scriptName: "/blog/index.php" },
      script: "/blog/index.php",
      info: "",
    },
    { target: "/a", mount: "", options: { scriptName: "/i.php", pathInfo: "/a" }, script: "/i.php", info: "/a" },
    { target: "/a%2Fb%FF", mount: "", options: {}, script: "", info: "/a/b\u00ff" },
  ])(
    "R-C1: SCRIPT_NAME + PATH_INFO is the decoded path of $target under $mount",
    ({ target, mount, options, script, info }) => {
      expect(write(path(target, mount), options)).toMatchObject({
        SCRIPT_NAME: script,
        PATH_INFO: info,
        REQUEST_URI: target,
      });
    },
  );

  test("REQUEST_URI stays as sent when a layer rewrote the path", () => {
    expect(write({ ...testRequest("/old?q"), path: "/new" })).toMatchObject({
      REQUEST_URI: "/old?q",
      PATH_INFO: "/new",
    });
  });

  test("REQUEST_URI is ASCII and has no scheme and host", () => {
    expect(write({ ...testRequest(), target: "http://example.com/\u00e9?\u00ff" }).REQUEST_URI).toBe("/%E9?%FF");
  });

  test("OPTIONS * has an empty PATH_INFO", () => {
    const request = { ...testRequest("*", { method: "OPTIONS" }), path: "*" };
    expect(write(request)).toMatchObject({ PATH_INFO: "", REQUEST_URI: "*" });
  });
});

describe("the body", () => {
  const withBody = (length: number | null, headers: HeaderInit): HttpRequest => ({
    ...withHeaders(headers),
    body: { ...emptyBody, length },
  });

  test.each([
    { why: "the body's true length", request: withBody(7, { "Content-Length": "99" }), length: "7" },
    {
      why: "the length of a buffered chunked body",
      request: withBody(7, { "Transfer-Encoding": "chunked" }),
      length: "7",
    },
    {
      why: "nothing while the length is unknown",
      request: withBody(null, { "Content-Length": "9" }),
      length: undefined,
    },
    { why: "nothing without a body", request: withBody(0, {}), length: undefined },
    { why: "the zero that the client sent", request: withBody(0, { "content-length": "0" }), length: "0" },
  ])("R-C1, R-C7: CONTENT_LENGTH is $why", ({ request, length }) => {
    for (const kind of kinds) {
      const variables = write(request, { interface: kind });
      expect(variables.CONTENT_LENGTH).toBe(length);
      expect("CONTENT_LENGTH" in variables).toBe(length !== undefined);
      expect(variables).not.toHaveProperty("HTTP_CONTENT_LENGTH");
      expect(variables).not.toHaveProperty("HTTP_TRANSFER_ENCODING");
    }
  });
});

describe("addresses", () => {
  test.each([
    { server: { host: "::1", port: 8000 }, headers: {}, name: "[::1]", port: "8000" },
    { server: { path: "/run/gw.sock" }, headers: { Host: "example.com:81" }, name: "example.com", port: "81" },
    { server: { path: "/run/gw.sock" }, headers: {}, name: "localhost", port: "80" },
    { server: { path: "" }, headers: { Host: "not a host" }, name: "localhost", port: "80" },
  ])("SERVER_NAME is $name and SERVER_PORT $port, both text", ({ server, headers, name, port }) => {
    const request = { ...withHeaders(headers), server };
    expect(write(request)).toMatchObject({ SERVER_NAME: name, SERVER_PORT: port });
  });

  test.each([null, { path: "" }])("REMOTE_ADDR is empty and REMOTE_PORT absent for the client %j", (client) => {
    const variables = write({ ...testRequest(), client });
    expect(variables.REMOTE_ADDR).toBe("");
    expect(variables).not.toHaveProperty("REMOTE_PORT");
  });

  test("a port that is not known is left out", () => {
    expect(write({ ...testRequest(), client: { host: "::1", port: 0 } })).not.toHaveProperty("REMOTE_PORT");
  });
});

describe.each(kinds.map((kind) => ({ kind })))("header fields, for $kind", ({ kind }) => {
  const headersOf = (headers: HeaderInit, options: Partial<WriteVariablesOptions> = {}): Record<string, string> => {
    const all = write(withHeaders(headers), { interface: kind, ...options });
    return Object.fromEntries(Object.entries(all).filter(([name]) => /^(HTTP_|CONTENT_)/.test(name)));
  };

  test('R-C1: repeated fields are joined with ", ", Cookie with "; "', () => {
    const headers: [string, string][] = [
      ["Accept", "a"],
      ["Cookie", "a=1"],
      ["accept", "b"],
      ["cookie", "b=2"],
    ];
    expect(headersOf(headers)).toEqual({ HTTP_ACCEPT: "a, b", HTTP_COOKIE: "a=1; b=2" });
  });

  test("R-C1: values keep their bytes, empty ones too", () => {
    expect(headersOf({ "X-A": "caf\u00e9", "X-B": "" })).toEqual({ HTTP_X_A: "caf\u00e9", HTTP_X_B: "" });
  });

  test("R-C2: no spelling of Proxy becomes HTTP_PROXY", () => {
    expect(headersOf({ Proxy: "evil:80", proxy: "evil:80", PROXY: "evil:80", Proxy_: "x", HTTP_PROXY: "x" })).toEqual(
      {},
    );
  });

  test("R-C3: names with other chars are dropped, so none overwrites another", () => {
    expect(headersOf({ X_User: "forged", "X-User": "real", "X.User": "forged" })).toEqual({ HTTP_X_USER: "real" });
  });

  test("R-C3: a name that the operator lists passes, and never shadows the regular one", () => {
    const odd = { oddHeaders: ["x_user", "x_other", "_proxy", "content_length", "proxy"] };
    const headers = { X_User: "odd", "X-User": "real", X_Other: "odd", Proxy: "evil:80", content_length: "7" };
    expect(headersOf(headers, odd)).toMatchObject({ HTTP_X_USER: "real", HTTP_X_OTHER: "odd" });
    expect(headersOf(headers, odd)).not.toHaveProperty("HTTP_PROXY");
    expect(headersOf(headers, odd)).not.toHaveProperty("CONTENT_LENGTH");
  });

  test("R-C6: Authorization reaches all but CGI unless told otherwise, Proxy-Authorization nobody", () => {
    const headers = { Authorization: "Basic x", "Proxy-Authorization": "Basic y" };
    expect(headersOf(headers)).toEqual(kind === "cgi" ? {} : { HTTP_AUTHORIZATION: "Basic x" });
    expect(headersOf(headers, { authorization: true })).toEqual({ HTTP_AUTHORIZATION: "Basic x" });
    expect(headersOf(headers, { authorization: false })).toEqual({});
    expect(headersOf(headers, { oddHeaders: ["authorization", "proxy-authorization"], authorization: false })).toEqual(
      {},
    );
  });

  test("R-F10: no header sets or shadows a variable of ours", () => {
    const names = [
      "SCRIPT-FILENAME",
      "DOCUMENT-ROOT",
      "PHP-VALUE",
      "PHP-ADMIN-VALUE",
      "HTTPS",
      "REMOTE-USER",
      "AUTH-TYPE",
      "__proto__",
      "constructor",
    ];
    const variables = write(withHeaders(Object.fromEntries(names.map((name) => [name, "evil"]))), { interface: kind });
    for (const [name, value] of Object.entries(variables)) if (value === "evil") expect(name).toMatch(/^HTTP_/);
    expect(Object.getPrototypeOf(variables)).toBe(Object.prototype);
  });
});

test("R-C6: REMOTE_USER and AUTH_TYPE come from the principal alone", () => {
  const headers = { "Remote-User": "root", REMOTE_USER: "root", "Auth-Type": "Basic" };
  for (const kind of kinds) {
    const variables = write(withHeaders(headers), { interface: kind });
    expect(variables).not.toHaveProperty("REMOTE_USER");
    expect(variables).not.toHaveProperty("AUTH_TYPE");
    expect(write({ ...testRequest(), principal: user }, { interface: kind })).toMatchObject({
      REMOTE_USER: toBytes("zoé"),
      AUTH_TYPE: "Basic",
    });
  }
});

describe("variables of mounts", () => {
  const init: TestRequestInit = { params: { SSL_CLIENT_S_DN: "CN=x" } };

  test("are added, values as they are", () => {
    const variables = { TENANT: toBytes("안녕"), SSL_CLIENT_S_DN: "CN=x" };
    expect(write(testRequest("/", init), { variables })).toMatchObject(variables);
  });

  test("params of the front server are not forwarded by themselves", () => {
    expect(write(testRequest("/", init))).not.toHaveProperty("SSL_CLIENT_S_DN");
  });

  test.each([
    "REMOTE_USER",
    "SCRIPT_FILENAME",
    "DOCUMENT_ROOT",
    "PHP_VALUE",
    "PHP_ADMIN_VALUE",
    "HTTPS",
    "HTTP_X",
    "LD_PRELOAD",
    "LD_AUDIT",
    "PATH",
    "CONTENT_LENGTH",
  ])("R-F10: may not set %s", (name) => {
    expect(() => write(testRequest(), { variables: { [name]: "x" } })).toThrow(
      expect.objectContaining({ code: "GW_VARIABLE", status: 500 }),
    );
  });
});
