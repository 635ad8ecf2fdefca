import { createContext, HeaderList, mount, writeVariables } from "@gw/core";
import { request, type TestRequestInit, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { fromWsgi } from "./from-wsgi.ts";
import type { Environ, WsgiApp } from "./types.ts";

const noHeaders = HeaderList.empty;

/** The environ that a request gives. */
function environOf(target = "/", init: TestRequestInit = {}): Environ {
  let environ: Environ | null = null;
  const app = fromWsgi((given, startResponse) => {
    environ = given;
    startResponse("204 No Content", []);
    return [];
  });
  app.handle(testRequest(target, init));
  return environ as unknown as Environ;
}

describe("environ", () => {
  test("R-W1: has every key that PEP 3333 requires, of the right type", () => {
    const environ = environOf("/path?query");
    expect(environ).toMatchObject({
      REQUEST_METHOD: "GET",
      SCRIPT_NAME: "",
      PATH_INFO: "/path",
      QUERY_STRING: "query",
      SERVER_NAME: "localhost",
      SERVER_PORT: "80",
      SERVER_PROTOCOL: "HTTP/1.1",
      "wsgi.version": [1, 0],
      "wsgi.url_scheme": "http",
      "wsgi.multithread": false,
      "wsgi.multiprocess": false,
      "wsgi.run_once": false,
      "wsgi.input_terminated": true,
      "wsgi.file_wrapper": expect.any(Function),
    });
    expect(Object.getPrototypeOf(environ)).toBe(Object.prototype);
  });

  test("begins with the variables that core always writes, in core's order: both make objects of one layout", () => {
    const options = { interface: "wsgi", software: "gw/0" } as const;
    const always = Object.keys(writeVariables(testRequest("/"), options)).filter(
      (name) => !/^(HTTP_|REMOTE_PORT)/.test(name),
    );
    expect(Object.keys(environOf("/")).slice(0, always.length)).toEqual(always);
  });

  // One row per rule of the comparison of five Python servers: what each of them has wrong at least once.
  test("SERVER_PORT is a string", () => {
    expect(environOf("/", { server: { host: "localhost", port: 8000 } }).SERVER_PORT).toBe("8000");
  });

  test("repeated Cookie lines are joined with a semicolon", () => {
    const headers = [
      ["Cookie", "a=1"],
      ["Cookie", "b=2"],
    ] as const;
    expect(environOf("/", { headers }).HTTP_COOKIE).toBe("a=1; b=2");
  });

  test("other repeated lines are joined with a comma", () => {
    const headers = [
      ["Accept", "text/html"],
      ["Accept", "*/*"],
    ] as const;
    expect(environOf("/", { headers }).HTTP_ACCEPT).toBe("text/html, */*");
  });

  test("a mount at /app does not hold /application", async () => {
    const app = fromWsgi((environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return [new TextEncoder().encode(`${environ.SCRIPT_NAME} ${environ.PATH_INFO}`)];
    });
    const mounted = mount("/app", app)(() => ({ kind: "response", status: 404, headers: noHeaders, body: null }));
    expect((await request(mounted, "/app/x")).text()).toBe("/app /x");
    expect((await request(mounted, "/app")).text()).toBe("/app ");
    expect((await request(mounted, "/application")).status).toBe(404);
    expect((await request(mounted, "/other")).status).toBe(404);
  });

  test("REMOTE_ADDR and REMOTE_PORT are there", () => {
    const environ = environOf("/", { client: { host: "192.0.2.7", port: 4711 } });
    expect([environ.REMOTE_ADDR, environ.REMOTE_PORT]).toEqual(["192.0.2.7", "4711"]);
  });

  test("R-C2: a Proxy header becomes no HTTP_PROXY, in any spelling", () => {
    for (const name of ["Proxy", "PROXY", "proxy"])
      expect(environOf("/", { headers: { [name]: "x" } })).not.toHaveProperty("HTTP_PROXY");
  });

  test("R-C3: a name with an underscore cannot shadow one with a hyphen", () => {
    const headers = [
      ["X-User", "right"],
      ["X_User", "wrong"],
    ] as const;
    expect(environOf("/", { headers }).HTTP_X_USER).toBe("right");
  });

  test("Content-Type and Content-Length have no HTTP_ prefix", async () => {
    let environ: Environ | null = null;
    const app = fromWsgi((given, startResponse) => {
      environ = given;
      startResponse("204 No Content", []);
      return [];
    });
    await request(app, "/", { method: "POST", body: "abc", headers: { "Content-Type": "text/plain" } });
    expect(environ).toMatchObject({ CONTENT_TYPE: "text/plain", CONTENT_LENGTH: "3" });
    expect(environ).not.toHaveProperty("HTTP_CONTENT_TYPE");
    expect(environ).not.toHaveProperty("HTTP_CONTENT_LENGTH");
  });

  test("R-C6: REMOTE_USER and AUTH_TYPE come from the principal, as latin-1 native strings", () => {
    const principal = { user: "안녕", type: "form", groups: [], claims: {} };
    const environ = environOf("/", { principal, headers: { Authorization: "Basic eDp5" } });
    expect(Buffer.from(environ.REMOTE_USER ?? "", "latin1").toString("utf8")).toBe("안녕");
    expect(environ.AUTH_TYPE).toBe("form");
    expect(environ.HTTP_AUTHORIZATION).toBe("Basic eDp5");
  });

  test("REMOTE_USER is left out when nobody has logged in", () => {
    expect(environOf("/")).not.toHaveProperty("REMOTE_USER");
  });

  test("R-W1: PATH_INFO is decoded to bytes, as PEP 3333's native strings are", () => {
    expect(environOf("/caf%C3%A9/a%2Fb").PATH_INFO).toBe("/caf\u00c3\u00a9/a/b");
    expect(environOf("/%FF").PATH_INFO).toBe("/\u00ff");
  });

  test("a mount's variables are there, and no name that the interface owns can be set", async () => {
    const app = fromWsgi((environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return [new TextEncoder().encode(String(environ.TENANT))];
    });
    const none = () => ({ kind: "response", status: 404, headers: noHeaders, body: null }) as const;
    expect((await request(mount("/", app, { variables: () => ({ TENANT: "acme" }) })(none), "/")).text()).toBe("acme");
    expect((await request(mount("/", app, { variables: () => ({ REMOTE_USER: "root" }) })(none), "/")).status).toBe(
      500,
    );
  });

  test("HTTPS is on over TLS, and wsgi.url_scheme says https", () => {
    const environ = environOf("/", { scheme: "https" });
    expect([environ.HTTPS, environ["wsgi.url_scheme"], environ.SERVER_PORT]).toEqual(["on", "https", "443"]);
  });

  test("wsgi.multiprocess and wsgi.run_once are what the carrier says, unless options say otherwise", async () => {
    const seen: unknown[] = [];
    const app: WsgiApp = (environ, startResponse) => {
      seen.push([environ["wsgi.multithread"], environ["wsgi.multiprocess"], environ["wsgi.run_once"]]);
      startResponse("204 No Content", []);
      return [];
    };
    const context = createContext({ hasSiblings: true, runsOnce: true });
    await request(fromWsgi(app));
    await request(fromWsgi(app), "/", { context });
    await request(fromWsgi(app, { multiprocess: false, runOnce: false }), "/", { context });
    expect(seen).toEqual([
      [false, false, false],
      [false, true, true],
      [false, false, false],
    ]);
  });
});
