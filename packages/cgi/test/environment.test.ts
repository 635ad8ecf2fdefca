import { type App, bytesToByteString, gateway, withPrincipal } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect, vi } from "vitest";
import { cgiProgram } from "../src/index.ts";
import { PRINT_ENVIRONMENT, printedVariables, shellProgram } from "./programs.ts";
import { type Exceptions, onEverySpawner } from "./spawners.ts";

const fcgiwrapCannot: Exceptions = [[/R-C4/, "passes no arguments"]];

onEverySpawner((spawner, { test }) => {
  const program = shellProgram(PRINT_ENVIRONMENT);
  const app = cgiProgram({ spawner, command: program });

  async function variablesOf(asked: App, ...rest: [target?: string, init?: object]): Promise<Record<string, string>> {
    const answer = await request(asked, ...rest);
    expect(answer.status).toBe(200);
    return printedVariables(answer.text());
  }

  test("R-C1, R-C5: a program sees the request's variables, a fixed PATH, and nothing of the gateway's environment", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s3cret");
    vi.stubEnv("NODE_V8_COVERAGE", "/somewhere");
    const variables = await variablesOf(app, "/a%20b/c?x=1&y=%41", {
      headers: {
        Host: "example.org",
        "User-Agent": "test",
        Accept: ["text/html", "text/plain"],
        Cookie: ["a=1", "b=2"],
      },
    });
    if (spawner.startsWith("fastcgi:")) delete variables.FCGI_ROLE; // the server's own, in every program behind it
    expect(variables).toEqual({
      GATEWAY_INTERFACE: "CGI/1.1",
      HTTP_ACCEPT: "text/html, text/plain",
      HTTP_COOKIE: "a=1; b=2",
      HTTP_HOST: "example.org",
      HTTP_USER_AGENT: "test",
      PATH: "/usr/local/bin:/usr/bin:/bin",
      PATH_INFO: "/a b/c",
      QUERY_STRING: "x=1&y=%41",
      REMOTE_ADDR: "127.0.0.1",
      REMOTE_PORT: "50000",
      REQUEST_METHOD: "GET",
      REQUEST_SCHEME: "http",
      REQUEST_URI: "/a%20b/c?x=1&y=%41",
      SCRIPT_FILENAME: program,
      SCRIPT_NAME: "",
      SERVER_NAME: "localhost",
      SERVER_PORT: "80",
      SERVER_PROTOCOL: "HTTP/1.1",
      SERVER_SOFTWARE: expect.stringMatching(/^gw\/\d/),
    });
  });

  test("R-C1: the mount is SCRIPT_NAME; CONTENT_LENGTH and CONTENT_TYPE have no HTTP_ twins", async () => {
    const variables = await variablesOf(app, "/app/x", {
      mount: "/app",
      method: "POST",
      body: "data",
      headers: { "Content-Type": "text/x-data", "Content-Length": "4" },
    });
    expect(variables).toMatchObject({
      SCRIPT_NAME: "/app",
      PATH_INFO: "/x",
      CONTENT_LENGTH: "4",
      CONTENT_TYPE: "text/x-data",
    });
    expect(Object.keys(variables).filter((name) => name.startsWith("HTTP_CONTENT"))).toEqual([]);
  });

  describe("what must not pass", () => {
    test.each(["Proxy", "proxy", "PROXY", "pRoXy"])("R-C2: a %s header never becomes HTTP_PROXY", async (name) => {
      expect(await variablesOf(app, "/", { headers: { [name]: "http://evil.example" } })).not.toHaveProperty(
        "HTTP_PROXY",
      );
    });

    test("R-C3: header names with other characters are dropped, so none can shadow another", async () => {
      const variables = await variablesOf(app, "/", {
        headers: { "X-Real": "true", X_Real: "forged", "X.Real": "forged" },
      });
      expect(variables.HTTP_X_REAL).toBe("true");
      expect(Object.values(variables)).not.toContain("forged");
    });

    test("R-C3: what the mount names of such a header arrives, and only that", async () => {
      const listing = gateway()
        .mount("/env", cgiProgram({ spawner, command: program }), {
          variables: ({ headers }) => ({ BUILD_TOKEN: headers.get("build_token") ?? "" }),
        })
        .run(() => {
          throw new Error("not reached");
        });
      const headers = { build_token: "t-1", other_token: "t-2" };
      const variables = await variablesOf(listing, "/env", { headers });
      expect(variables.BUILD_TOKEN).toBe("t-1");
      expect(Object.values(variables)).not.toContain("t-2");
    });

    test("R-C6: passwords do not reach programs unless the mount says so; Proxy-Authorization never does", async () => {
      const headers = { Authorization: "Basic c2VjcmV0", "Proxy-Authorization": "Basic c2VjcmV0" };
      expect(Object.values(await variablesOf(app, "/", { headers }))).not.toContain("Basic c2VjcmV0");
      const open = await variablesOf(cgiProgram({ spawner, command: program, authorization: true }), "/", { headers });
      expect(open).toMatchObject({ HTTP_AUTHORIZATION: "Basic c2VjcmV0" });
      expect(open).not.toHaveProperty("HTTP_PROXY_AUTHORIZATION");
    });

    test("R-C6: REMOTE_USER comes from our layers only", async () => {
      const forged = { headers: { "Remote-User": "root", Remote_User: "root" }, params: { REMOTE_USER: "root" } };
      expect(await variablesOf(app, "/", forged)).not.toHaveProperty("REMOTE_USER");
      const known: App = {
        handle: (asked) => app.handle(withPrincipal(asked, { user: "안녕", type: "form", groups: [], claims: {} })),
      };
      expect(await variablesOf(known, "/", forged)).toMatchObject({ REMOTE_USER: "안녕", AUTH_TYPE: "form" });
    });

    test("R-C4: nothing of the query becomes an argument", async () => {
      const words = cgiProgram({
        spawner,
        command: shellProgram(`printf 'Content-Type: text/plain\\n\\n'; echo "$#"`),
        args: ["own"],
      });
      expect((await request(words, "/?one+two+-x")).text()).toBe("1\n");
    });

    test("bytes that are no UTF-8 arrive as sent, and are a 400 where Node writes environments", async () => {
      const answer = await request(app, "/caf%E9");
      if (spawner !== "node" && spawner !== "inprocess") {
        expect(bytesToByteString(answer.bytes)).toContain("PATH_INFO=/caf\xe9\n");
      } else {
        expect([answer.status, answer.text().includes("PATH_INFO")]).toEqual([400, true]);
      }
      expect((await variablesOf(app, "/caf%C3%A9")).REQUEST_URI).toBe("/caf%C3%A9");
      await expect(Promise.resolve(app.handle({ ...testRequest("/"), path: "/a\0b" }))).rejects.toMatchObject({
        status: 400,
      });
    });
  });

  test("R-C5: what the mount lists is handed on: names of ours, its own, and those a function computes", async () => {
    vi.stubEnv("TZ", "Asia/Seoul");
    const listing = gateway()
      .mount(
        "/env",
        cgiProgram({
          spawner,
          command: program,
          env: { TITLE: "제목", SERVER_NAME: "never" },
          inherit: ["TZ", "NOT_THERE"],
        }),
        {
          variables: ({ principal }) => ({ DISPLAY_NAME: String(principal?.claims.name) }),
        },
      )
      .run(() => {
        throw new Error("not reached");
      });
    const known: App = {
      ...listing,
      handle: (asked) =>
        listing.handle(withPrincipal(asked, { user: "a", type: "form", groups: [], claims: { name: "앨리스" } })),
    };
    const variables = await variablesOf(known, "/env");
    expect(variables).toMatchObject({
      TZ: "Asia/Seoul",
      TITLE: "제목",
      DISPLAY_NAME: "앨리스",
      SERVER_NAME: "localhost",
    });
    expect(variables).not.toHaveProperty("NOT_THERE");
  });

  test.each([{ "A=B": "c" }, { A: "b\0c" }, { "": "a" }])("an impossible variable %j stops the start", async (env) => {
    await expect(
      request(cgiProgram({ spawner, command: program, env: env as Record<string, string> })),
    ).rejects.toMatchObject({
      code: "GW_CGI_OPTION",
    });
  });
}, fcgiwrapCannot);
