import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBytes } from "../bytes/byte-string.ts";
import { emptyBody } from "../model/body.ts";
import { HeaderList } from "../model/headers.ts";
import type { HttpRequest } from "../model/request.ts";
import { encodePath } from "../target/raw.ts";
import { testRequest } from "../testing/builders.ts";
import { variableName } from "./names.ts";
import { type ReadVariablesOptions, readVariables, type VariablesHead } from "./read.ts";
import { writeVariables } from "./write.ts";

function read(variables: Record<string, string>, options?: ReadVariablesOptions): VariablesHead {
  return readVariables(new Map(Object.entries({ REQUEST_METHOD: "GET", ...variables })), options);
}

test("R-C1: reads what Apache gives a CGI program", () => {
  const request = read({
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    REQUEST_METHOD: "POST",
    REQUEST_SCHEME: "https",
    HTTPS: "on",
    REQUEST_URI: "/cgi-bin/app/x%20y?q=1",
    SCRIPT_NAME: "/cgi-bin/app",
    PATH_INFO: "/x y",
    PATH_TRANSLATED: "/var/www/x y",
    QUERY_STRING: "q=1",
    SERVER_NAME: "example.com",
    SERVER_PORT: "8443",
    REMOTE_ADDR: "192.0.2.7",
    REMOTE_PORT: "5555",
    CONTENT_LENGTH: "5",
    CONTENT_TYPE: "text/plain",
    HTTP_HOST: "example.com:8443",
    HTTP_USER_AGENT: "t",
    SSL_PROTOCOL: "TLSv1.3",
    SSL_CIPHER: "TLS_AES_256_GCM_SHA384",
    SSL_TLS_SNI: "example.com",
  });
  expect(request).toMatchObject({
    kind: "http",
    method: "POST",
    scheme: "https",
    target: "/cgi-bin/app/x%20y?q=1",
    mount: "/cgi-bin/app",
    path: "/x y",
    query: "q=1",
    protocol: "HTTP/1.1",
    client: { host: "192.0.2.7", port: 5555 },
    server: { host: "example.com", port: 8443 },
    principal: null,
    contentLength: 5,
    tls: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", serverName: "example.com" },
  });
  expect(request.tls?.peerCertificates()).toEqual([]);
  expect([...request.headers].sort()).toEqual([
    ["Content-Length", "5"],
    ["Content-Type", "text/plain"],
    ["Host", "example.com:8443"],
    ["User-Agent", "t"],
  ]);
  expect([...request.params.keys()]).toEqual(["PATH_TRANSLATED", "SSL_PROTOCOL", "SSL_CIPHER", "SSL_TLS_SNI"]);
});

test.each([
  ["HTTP_X_A", "a\r\nInjected: b"],
  ["HTTP_X_A", "a\0"],
  ["HTTP_COOKIE", "\n"],
  ["HTTP_X_A", "\u007f"],
  ["CONTENT_TYPE", "text/plain\r\nInjected: b"],
])("R-H2: %s=%j is no header value and refused", (variable, value) => {
  const good = { HTTP_HOST: "h", HTTP_X_B: "caf\u00e9\t(x)" };
  expect(read(good).headers.get("x-b")).toBe(good.HTTP_X_B);
  expect(() => read({ ...good, [variable]: value })).toThrow(
    expect.objectContaining({ code: "GW_BAD_VARIABLES", status: 400, message: expect.stringContaining(variable) }),
  );
});

test("reads what nginx gives a FastCGI responder, with the mount told", () => {
  const variables = {
    SCRIPT_NAME: "/app/a/b",
    REQUEST_URI: "/app/a%2Fb",
    DOCUMENT_URI: "/app/a/b",
    HTTPS: "",
    SERVER_NAME: "_",
    REMOTE_ADDR: "unix:",
    HTTP_HOST: "h:81",
  };
  expect(read(variables)).toMatchObject({ mount: "/app/a/b", path: "" });
  expect(read(variables, { mount: "/app" })).toMatchObject({
    mount: "/app",
    path: "/a/b",
    scheme: "http",
    server: { host: "h", port: 80 },
    client: { path: "" },
  });
  expect(read(variables, { mount: "" })).toMatchObject({ mount: "", path: "/app/a/b" });
  expect(() => read(variables, { mount: "/other" })).toThrow(expect.objectContaining({ code: "GW_BAD_VARIABLES" }));
});

test("rebuilds the target where there is no REQUEST_URI", () => {
  const parts = { SCRIPT_NAME: "/a b", PATH_INFO: "/\u00e9" };
  expect(read({ ...parts, QUERY_STRING: "q=%20" }).target).toBe("/a%20b/%E9?q=%20");
  expect(read(parts).target).toBe("/a%20b/%E9");
  expect(read({ ...parts, REQUEST_URI: "" }).target).toBe("/a%20b/%E9");
  expect(read({ ...parts, REQUEST_URI: "/x\r\ny" }).target).toBe("/a%20b/%E9");
  expect(read({ REQUEST_URI: "/x?y=1" }).query).toBe("y=1");
});

test.each([
  [{ HTTPS: "on" }, "https"],
  [{ HTTPS: "ON" }, "https"],
  [{ HTTPS: "1" }, "https"],
  [{ HTTPS: "off" }, "http"],
  [{ HTTPS: "" }, "http"],
  [{ REQUEST_SCHEME: "https" }, "https"],
  [{}, "http"],
] as [Record<string, string>, string][])("reads the scheme of %j as %s", (variables, scheme) => {
  expect(read(variables).scheme).toBe(scheme);
});

test.each([
  ["HTTP/1.1", "HTTP/1.1"],
  ["HTTP/2.0", "HTTP/2.0"],
  ["HTTP/2", "HTTP/2.0"],
  ["INCLUDED", "HTTP/1.0"],
  ["", "HTTP/1.0"],
])("reads SERVER_PROTOCOL %j as %s", (value, protocol) => {
  expect(read({ SERVER_PROTOCOL: value }).protocol).toBe(protocol);
});

test.each([
  [
    { SERVER_NAME: "[::1]", SERVER_PORT: "81" },
    { host: "::1", port: 81 },
  ],
  [{ SERVER_NAME: "::1" }, { host: "::1", port: 80 }],
  [
    { SERVER_NAME: "", HTTP_HOST: "h:99", HTTPS: "on" },
    { host: "h", port: 443 },
  ],
  [
    { SERVER_NAME: "a b", SERVER_PORT: "http" },
    { host: "localhost", port: 80 },
  ],
  [{}, { host: "localhost", port: 80 }],
] as [Record<string, string>, object][])("reads the server of %j as %j", (variables, server) => {
  expect(read(variables).server).toEqual(server);
});

test.each([
  [{}, null],
  [{ REMOTE_ADDR: "" }, null],
  [{ REMOTE_ADDR: "::1" }, { host: "::1", port: 0 }],
  [
    { REMOTE_ADDR: "::ffff:10.0.0.1", REMOTE_PORT: "7" },
    { host: "10.0.0.1", port: 7 },
  ],
  [
    { REMOTE_ADDR: "10.0.0.1", REMOTE_PORT: "-7" },
    { host: "10.0.0.1", port: 0 },
  ],
] as [Record<string, string>, object | null][])("reads the client of %j as %j", (variables, client) => {
  expect(read(variables).client).toEqual(client);
});

describe("paths", () => {
  test.each([
    { SCRIPT_NAME: "/", PATH_INFO: "/x", mount: "", path: "/x" },
    { SCRIPT_NAME: "/app/", PATH_INFO: "/x", mount: "/app", path: "/x" },
    { SCRIPT_NAME: "app", PATH_INFO: "x", mount: "/app", path: "/x" },
    { SCRIPT_NAME: "/app", PATH_INFO: "", mount: "/app", path: "" },
    { SCRIPT_NAME: "/app", PATH_INFO: "//a/./b/../c", mount: "/app", path: "/a/c" },
  ])("reads $SCRIPT_NAME and $PATH_INFO as $mount and $path", ({ mount, path, ...variables }) => {
    expect(read(variables)).toMatchObject({ mount, path });
  });

  test.each([{ PATH_INFO: "/../x" }, { PATH_INFO: "/a/../../x" }, { PATH_INFO: "/\0" }, { SCRIPT_NAME: "/.." }])(
    "R-M16: answers 400 to %j",
    (variables) => {
      expect(() => read({ SCRIPT_NAME: "/app", ...variables })).toThrow(
        expect.objectContaining({ code: "GW_BAD_TARGET" }),
      );
    },
  );

  test("reads OPTIONS * as the server as a whole", () => {
    expect(read({ REQUEST_METHOD: "OPTIONS", REQUEST_URI: "*" })).toMatchObject({ target: "*", mount: "", path: "*" });
  });
});

test.each([{}, { REQUEST_METHOD: "" }, { REQUEST_METHOD: "GET /" }])(
  "answers 400 to %j, which has no method",
  (variables) => {
    expect(() => readVariables(new Map(Object.entries(variables)))).toThrow(
      expect.objectContaining({ code: "GW_BAD_VARIABLES", status: 400 }),
    );
  },
);

test.each(["x", "-1", "1 2", "1,2"])("R-C9: answers 400 to CONTENT_LENGTH %j", (length) => {
  expect(() => read({ CONTENT_LENGTH: length })).toThrow(expect.objectContaining({ code: "GW_CONTENT_LENGTH" }));
});

test("takes an empty CONTENT_LENGTH or CONTENT_TYPE for a missing one", () => {
  const { contentLength, headers } = read({ CONTENT_LENGTH: "", CONTENT_TYPE: "" });
  expect([contentLength, headers.size]).toEqual([null, 0]);
});

test("R-C2, R-C3, R-C7: HTTP_PROXY and variables that no field makes are dropped, and are no parameters either", () => {
  const odd = {
    HTTP_PROXY: "evil:80",
    HTTP_TRANSFER_ENCODING: "chunked",
    "HTTP_X.Y": "1",
    HTTP_: "1",
    HTTP_CONTENT_LENGTH: "9",
  };
  const { headers, params } = read(odd);
  expect([...headers]).toEqual([]);
  expect([...params]).toEqual([]);
});

test("R-H18: identity headers are dropped, configured ones too", () => {
  const { headers } = read(
    { HTTP_REMOTE_USER: "root", HTTP_X_FORWARDED_USER: "root", HTTP_X_WHO: "root" },
    { identityHeaders: ["X-Who"] },
  );
  expect([...headers]).toEqual([]);
});

test("R-C6: REMOTE_USER becomes the principal only if the front server is trusted with it", () => {
  const variables = { REMOTE_USER: toBytes("zoé"), AUTH_TYPE: "Basic" };
  expect(read(variables)).toMatchObject({ principal: null });
  expect(read(variables).params.get("REMOTE_USER")).toBe(toBytes("zoé"));
  const trusted: ReadVariablesOptions = { trustRemoteUser: true };
  expect(read(variables, trusted).principal).toEqual({ user: "zoé", type: "Basic", groups: [], claims: {} });
  expect(read({ REMOTE_USER: "" }, trusted).principal).toBeNull();
  expect(read({}, trusted).principal).toBeNull();
});

describe("there and back", () => {
  const bytes = (pattern: RegExp): fc.Arbitrary<string> => fc.stringMatching(pattern);
  const segment = bytes(/^[a-z \u0080-\u00ff%?.]{1,6}$/).filter((text) => !/^\.\.?$/.test(text));
  const path = fc.array(segment, { maxLength: 3 }).map((segments) => segments.map((one) => `/${one}`).join(""));
  const header = fc.tuple(bytes(/^[A-Za-z][A-Za-z0-9-]{0,8}$/), bytes(/^[\u0020-\u007e\u0080-\u00ff]{0,12}$/));
  const requests = fc.record({
    method: fc.constantFrom("GET", "POST", "PROPFIND", "get"),
    scheme: fc.constantFrom("http" as const, "https" as const),
    mount: path,
    path,
    query: bytes(/^[a-z=&%?/]{0,10}$/),
    protocol: fc.constantFrom("HTTP/1.0", "HTTP/1.1", "HTTP/2.0"),
    lines: fc.array(header, { maxLength: 8 }),
    length: fc.option(fc.nat(1e9).map((length) => length + 1)),
    client: fc.option(
      fc.record({ host: fc.constantFrom("192.0.2.7", "2001:db8::1"), port: fc.integer({ min: 0, max: 65_535 }) }),
    ),
    server: fc.record({
      host: fc.constantFrom("example.com", "::1", "10.0.0.1"),
      port: fc.integer({ min: 1, max: 65_535 }),
    }),
    principal: fc.option(
      fc.record({ user: fc.string({ minLength: 1, unit: "grapheme" }), type: fc.constantFrom("Basic", "form") }),
    ),
  });

  test("a request that is written as variables and read again is the same request", () => {
    fc.assert(
      fc.property(requests, ({ lines, length, principal, ...parts }) => {
        const target = `${encodePath(parts.mount + parts.path) || "/"}${parts.query === "" ? "" : `?${parts.query}`}`;
        const reserved = /^(content-(type|length)|proxy.*|remote-.*|auth-type|x-(remote|forwarded)-.*)$/i;
        const headers = HeaderList.from(lines.filter(([name]) => variableName(name) !== null && !reserved.test(name)));
        const request: HttpRequest = {
          ...testRequest(),
          ...parts,
          target,
          headers,
          body: { ...emptyBody, length },
          principal: principal && { ...principal, groups: [], claims: {} },
        };
        const variables = writeVariables(request, { interface: "fastcgi", software: "t" });
        const again = readVariables(new Map(Object.entries(variables)), { trustRemoteUser: true });
        expect(again).toMatchObject({ ...parts, target, contentLength: length, principal: request.principal });
        for (const [name] of headers) expect(again.headers.get(name)).toBe(headers.get(name));
        expect(again.headers.size).toBe(
          new Set(lines.map(([name]) => name.toLowerCase()).filter((name) => headers.has(name))).size +
            (length === null ? 0 : 1),
        );
        expect([...again.params.keys()].filter((name) => !/^(REMOTE_USER|AUTH_TYPE)$/.test(name))).toEqual([
          "SERVER_SOFTWARE",
        ]);
      }),
      { numRuns: 500 },
    );
  });
});
