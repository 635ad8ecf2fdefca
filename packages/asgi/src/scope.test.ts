import { emptyState, HeaderList, mount, type Principal, type TlsInfo } from "@gw/core";
import { request, testRequest, testSocket } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { fromAsgi } from "./from-asgi.ts";
import { httpScope, webSocketScope } from "./scope.ts";
import type { HttpScope, Scope } from "./scopes.ts";

const noHeaders = HeaderList.empty;
const settings = { state: {}, hasDebug: false };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function scopeOf(target: string, init: Parameters<typeof testRequest>[1] = {}): HttpScope {
  return httpScope(testRequest(target, init), settings);
}

describe("http scope", () => {
  test("R-W1: has every key of the document, of the right type", () => {
    const scope = scopeOf("/caf%C3%A9/%2F?a=%20b", { headers: [["X-Name", "caf\u00e9"]] });
    expect({ ...scope, headers: [...scope.headers] }).toEqual({
      type: "http",
      asgi: { version: "3.0", spec_version: "2.5" },
      http_version: "1.1",
      method: "GET",
      scheme: "http",
      path: expect.stringContaining("/café/"),
      raw_path: expect.any(Uint8Array),
      query_string: bytes("a=%20b"),
      root_path: "",
      headers: [
        [bytes("host"), bytes("localhost")],
        [bytes("x-name"), Uint8Array.of(0x63, 0x61, 0x66, 0xe9)],
      ],
      client: ["127.0.0.1", 50_000],
      server: ["localhost", 80],
      state: {},
      extensions: expect.any(Object),
    });
  });

  test("path is UTF-8 decoded, raw_path is as received", () => {
    const scope = scopeOf("/caf%C3%A9/a%2Fb?x");
    expect(scope.path).toBe("/café/a/b");
    expect(scope.raw_path).toEqual(bytes("/caf%C3%A9/a%2Fb"));
  });

  test("bytes in the path that are not UTF-8 are replaced, not an error", () => {
    expect(scopeOf("/%FF").path).toBe("/\ufffd");
  });

  test("path holds the mount, root_path is the mount", () => {
    const scope = scopeOf("/app/x%20y", { mount: "/app" });
    expect([scope.root_path, scope.path, scope.raw_path]).toEqual(["/app", "/app/x y", bytes("/app/x%20y")]);
  });

  test("raw_path follows a layer that rewrote the path", () => {
    const scope = httpScope({ ...testRequest("/old?q"), path: "/new page" }, settings);
    expect([scope.path, scope.raw_path]).toEqual(["/new page", bytes("/new%20page")]);
  });

  test("the query is as received; without one it is empty, not missing", () => {
    expect([scopeOf("/?a=%41&b").query_string, scopeOf("/").query_string]).toEqual([bytes("a=%41&b"), bytes("")]);
  });

  test.each([
    ["HTTP/1.0", "1.0"],
    ["HTTP/1.1", "1.1"],
    ["HTTP/2.0", "2"],
  ])("%s has http_version %s", (protocol, version) => {
    expect(scopeOf("/", { protocol }).http_version).toBe(version);
  });

  test("method is in upper case", () => {
    expect(scopeOf("/", { method: "patch" }).method).toBe("PATCH");
  });

  test("server port is a number; a unix socket has its path and null; an unknown client is null", () => {
    const unix = httpScope({ ...testRequest("/"), server: { path: "/run/gw.sock" }, client: { path: "" } }, settings);
    expect([unix.server, unix.client]).toEqual([["/run/gw.sock", null], null]);
    expect(scopeOf("/", { client: null }).client).toBeNull();
  });

  test("header names are in lower case; repeats and order are kept, Cookie too", () => {
    const headers = [
      ["Cookie", "a=1"],
      ["X-B", "1"],
      ["cookie", "b=2"],
    ] as const;
    expect([...scopeOf("/", { headers }).headers].slice(1)).toEqual([
      [bytes("cookie"), bytes("a=1")],
      [bytes("x-b"), bytes("1")],
      [bytes("cookie"), bytes("b=2")],
    ]);
  });

  test("headers can be iterated again, and survive a copied scope", () => {
    const copy = { ...scopeOf("/", { headers: { A: "1" } }) };
    expect([...copy.headers]).toEqual([...copy.headers]);
    expect([...copy.headers].length).toBe(2);
  });

  test("each scope is its own: changing one changes no other", () => {
    const asked = testRequest("/a");
    const [one, two] = [httpScope(asked, settings), httpScope(asked, settings)];
    one.raw_path[0] = 0;
    one.state.key = "value";
    expect([two.raw_path[0], two.state]).toEqual([0x2f, {}]);
  });

  test("extensions are those the carrier can do; tls only on TLS connections", async () => {
    let scope: Scope | null = null;
    const app = fromAsgi(async (given, _receive, send) => {
      if (given.type !== "http") throw new TypeError();
      scope = given;
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    });
    await request(app);
    expect(Object.keys((scope as unknown as HttpScope).extensions)).toEqual([
      "http.response.trailers",
      "http.response.pathsend",
      "http.response.zerocopysend",
      "gw.signal",
      "http.response.early_hint",
    ]);
    expect(scopeOf("/").extensions).not.toHaveProperty("http.response.early_hint");
  });

  test("the user of a layer is in gw.principal; without one the key is absent (R-C6)", () => {
    const principal: Principal = { user: "안녕", type: "form", groups: ["a"], claims: { email: "x" } };
    expect(scopeOf("/", { principal }).extensions["gw.principal"]).toEqual(principal);
    expect(scopeOf("/", { headers: { "Remote-User": "root" } }).extensions).not.toHaveProperty("gw.principal");
  });

  test("a mount's variables are in gw.variables, as text", async () => {
    let scope: HttpScope | null = null;
    const app = fromAsgi(async (given, _receive, send) => {
      if (given.type !== "http") throw new TypeError();
      scope = given;
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    });
    const none = () => ({ kind: "response", status: 404, headers: noHeaders, body: null }) as const;
    await request(mount("/app", app, { variables: () => ({ TENANT: "안녕" }) })(none), "/app/x");
    expect((scope as unknown as HttpScope).extensions["gw.variables"]).toEqual({ TENANT: "안녕" });
  });

  test("gw.signal is the request's own", () => {
    const asked = testRequest("/");
    expect(httpScope(asked, settings).extensions["gw.signal"]).toBe(asked.signal);
    expect(asked.state).toBe(emptyState);
  });
});

describe("websocket scope", () => {
  test("R-W1: has every key of the document, of the right type", () => {
    const scope = webSocketScope(
      testSocket("/chat?room=1", { subprotocols: ["v1", "v2"], protocol: "HTTP/2.0" }),
      settings,
    );
    expect({ ...scope, headers: [...scope.headers] }).toEqual({
      type: "websocket",
      asgi: { version: "3.0", spec_version: "2.5" },
      http_version: "2",
      scheme: "ws",
      path: "/chat",
      raw_path: bytes("/chat"),
      query_string: bytes("room=1"),
      root_path: "",
      headers: [[bytes("host"), bytes("localhost")]],
      client: ["127.0.0.1", 50_000],
      server: ["localhost", 80],
      subprotocols: ["v1", "v2"],
      state: {},
      extensions: { "websocket.http.response": {}, "gw.signal": expect.any(AbortSignal) },
    });
  });

  test("over TLS the scheme is wss", () => {
    expect(webSocketScope(testSocket("/", { scheme: "https" }), settings).scheme).toBe("wss");
  });
});

describe("tls extension", () => {
  const tls: TlsInfo = {
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    serverName: null,
    peerCertificates: () => [
      { subject: "CN=alice", issuer: "CN=ca", serial: "01", fingerprint256: "00", der: new Uint8Array(60).fill(1) },
    ],
  };

  test("tells version and suite as numbers, certificates as PEM", () => {
    const { extensions } = scopeOf("/", { tls, scheme: "https" });
    expect(extensions.tls).toEqual({
      server_cert: null,
      client_cert_chain: [
        `-----BEGIN CERTIFICATE-----\n${btoa("\u0001".repeat(60)).slice(0, 64)}\n${btoa("\u0001".repeat(60)).slice(64)}\n-----END CERTIFICATE-----\n`,
      ],
      client_cert_name: "CN=alice",
      client_cert_error: null,
      tls_version: 0x0304,
      cipher_suite: 0x1301,
    });
  });

  test("is made once for each connection", () => {
    const [one, two] = [scopeOf("/", { tls }), scopeOf("/", { tls })];
    expect(one.extensions.tls).toBe(two.extensions.tls);
  });

  test("what is not known is null, without a certificate the chain is empty", () => {
    const odd: TlsInfo = { version: "TLSv9", cipher: "TLS_UNKNOWN", serverName: null, peerCertificates: () => [] };
    expect(scopeOf("/", { tls: odd }).extensions.tls).toEqual({
      server_cert: null,
      client_cert_chain: [],
      client_cert_name: null,
      client_cert_error: null,
      tls_version: null,
      cipher_suite: null,
    });
  });
});
