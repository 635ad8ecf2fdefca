import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeText } from "@gw/core";
import { LintError } from "@gw/core/lint";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import { createEnviron } from "../environ.ts";
import { WsgiErrors } from "../errors-stream.ts";
import { excInfo } from "../exc-info.ts";
import { fromWsgi } from "../from-wsgi.ts";
import type { Environ, StartResponse, WsgiApp, WsgiIterable } from "../types.ts";
import { environRules } from "./environ-rules.ts";
import { startRules } from "./start-rules.ts";
import { validator } from "./validator.ts";

const plain = [["Content-Type", "text/plain"]] as const;

function good(_environ: Environ, startResponse: StartResponse): Uint8Array[] {
  startResponse("200 OK", plain);
  return [encodeText("Hello")];
}

function environ(): Environ {
  const asked = testRequest("/path");
  return createEnviron(
    asked,
    { multithread: false, multiprocess: false, runOnce: false },
    new WsgiErrors(asked.exchange),
  );
}

const start: StartResponse = () => () => {};

/** Runs an app to its end under the validator and gives the rule it breaks. */
function broken(app: unknown, given: unknown = environ(), startResponse: unknown = start): string | null {
  try {
    const result = validator(app as WsgiApp)(given as Environ, startResponse as StartResponse);
    for (const _ of result);
    result.close?.();
    return null;
  } catch (error) {
    if (!(error instanceof LintError)) throw error;
    return `${error.layer}: ${error.rule}`;
  }
}

describe("validator", () => {
  test("finds nothing wrong with a right app under our own server", async () => {
    expect(broken(good)).toBeNull();
    const answer = await request(fromWsgi(validator(good)), "/", { method: "POST", body: "x" });
    expect([answer.status, answer.text()]).toEqual([200, "Hello"]);
  });

  test("changes nothing: the body still goes out in one piece", () => {
    expect(fromWsgi(validator(good)).handle(testRequest("/"))).toMatchObject({ body: encodeText("Hello") });
  });

  test.each<[string, (environ: Record<string, unknown>) => unknown]>([
    ["wsgi-environ-dict", (given) => Object.assign(Object.create({ inherited: 1 }), given)],
    ["wsgi-environ-server", ({ SERVER_NAME: _, ...rest }) => rest],
    ["wsgi-environ-server", (given) => ({ ...given, SERVER_PORT: 80 })],
    ["wsgi-environ-method", (given) => ({ ...given, REQUEST_METHOD: "" })],
    ["wsgi-environ-wsgi", ({ "wsgi.run_once": _, ...rest }) => rest],
    ["wsgi-environ-strings", (given) => ({ ...given, HTTP_X: 5 })],
    ["wsgi-environ-latin1", (given) => ({ ...given, HTTP_X: "안녕" })],
    ["wsgi-environ-content", (given) => ({ ...given, HTTP_CONTENT_TYPE: "text/plain" })],
    ["wsgi-environ-length", (given) => ({ ...given, CONTENT_LENGTH: "-1" })],
    ["wsgi-environ-script-name", (given) => ({ ...given, SCRIPT_NAME: "/" })],
    ["wsgi-environ-script-name", (given) => ({ ...given, SCRIPT_NAME: "app" })],
    ["wsgi-environ-path-info", (given) => ({ ...given, PATH_INFO: "path" })],
    ["wsgi-environ-user", (given) => ({ ...given, REMOTE_USER: "" })],
    ["wsgi-version", (given) => ({ ...given, "wsgi.version": "1.0" })],
    ["wsgi-url-scheme", (given) => ({ ...given, "wsgi.url_scheme": "ws" })],
    ["wsgi-input-methods", (given) => ({ ...given, "wsgi.input": { read() {} } })],
    ["wsgi-errors-methods", (given) => ({ ...given, "wsgi.errors": null })],
  ])("a server that breaks %s is told so", (rule, change) => {
    expect(broken(good, change(environ() as unknown as Record<string, unknown>))).toBe(`the server: ${rule}`);
  });

  test("a server that passes the wrong arguments is told so", () => {
    expect(() => (validator(good) as (...args: unknown[]) => unknown)(environ())).toThrow(/two positional arguments/);
    expect(broken(good, environ(), "not callable")).toBe("the server: wsgi-start-callable");
    expect(broken(good, environ(), () => "no write")).toBe("the server: wsgi-write-callable");
  });

  test.each<[string, unknown, unknown, unknown?]>([
    ["wsgi-status", "200", plain],
    ["wsgi-status", 200, plain],
    ["wsgi-status", "200  OK", plain],
    ["wsgi-status", "20 OK", plain],
    ["wsgi-status-control", "200 O\u0007K", plain],
    ["wsgi-headers-list", "200 OK", { "Content-Type": "text/plain" }],
    ["wsgi-headers-tuples", "200 OK", [["A"]]],
    ["wsgi-header-name", "200 OK", [["Content Type", "text/plain"]]],
    ["wsgi-header-name", "200 OK", [["Content-Type:", "text/plain"]]],
    ["wsgi-header-name", "200 OK", [["X-", "text/plain"]]],
    ["wsgi-header-status", "200 OK", [["Status", "200 OK"]]],
    ["wsgi-header-value", "200 OK", [["X", "a\nb"]]],
    ["wsgi-latin1", "200 OK", [["X", "안녕"]]],
    ["wsgi-hop-by-hop", "200 OK", [["Connection", "close"]]],
    ["wsgi-no-content-type", "204 No Content", plain],
    ["wsgi-exc-info", "200 OK", plain, new Error("no tuple")],
  ])("an app that breaks %s is told so", (rule, status, headers, error) => {
    const app = function bad(_environ: Environ, startResponse: (...args: unknown[]) => void): Uint8Array[] {
      startResponse(status, headers, error);
      return [];
    };
    expect(broken(app)).toBe(`the app bad: ${rule}`);
  });

  test.each<[string, (environ: Environ, startResponse: StartResponse) => unknown]>([
    ["wsgi-start-again", (_environ, startResponse) => [startResponse("200 OK", plain), startResponse("200 OK", plain)]],
    ["wsgi-start-callable", (_environ, startResponse) => (startResponse as (...args: unknown[]) => unknown)("200 OK")],
    ["wsgi-result", (_environ, startResponse) => void startResponse("200 OK", plain)],
    ["wsgi-result", (_environ, startResponse) => [startResponse("200 OK", plain), "text"].at(-1)],
    ["wsgi-result", (_environ, startResponse) => [startResponse("200 OK", plain), encodeText("x")].at(-1)],
    ["wsgi-result", (_environ, startResponse) => [[startResponse("200 OK", plain)], ["text"]].at(-1)],
    ["wsgi-start-first", () => [encodeText("x")]],
    ["wsgi-content-type", (_environ, startResponse) => [[startResponse("200 OK", [])], [encodeText("x")]].at(-1)],
    ["wsgi-result", (_environ, startResponse) => startResponse("200 OK", plain)("text" as never)],
    ["wsgi-write-callable", (_environ, startResponse) => (startResponse("200 OK", plain) as () => void)()],
    ["wsgi-input-size", (given) => given["wsgi.input"].read("5" as never)],
    ["wsgi-input-size", (given) => (given["wsgi.input"].readline as (...args: number[]) => unknown)(1, 2)],
    ["wsgi-stream-close", (given) => (given["wsgi.input"] as unknown as { close(): void }).close()],
    ["wsgi-stream-close", (given) => (given["wsgi.errors"] as unknown as { close(): void }).close()],
    ["wsgi-errors-text", (given) => given["wsgi.errors"].write(encodeText("bytes") as never)],
  ])("an app that breaks %s is told so (%#)", (rule, app) => {
    expect(broken(app)).toBe(`the app ${app.name || "application"}: ${rule}`);
  });

  test("a server whose input gives text is told so", () => {
    const given = {
      ...environ(),
      "wsgi.input": {
        read: () => "text",
        readline: () => "",
        readlines: () => [],
        [Symbol.iterator]: () => [][Symbol.iterator](),
      },
    };
    const reading = (one: Environ): Uint8Array => one["wsgi.input"].read();
    expect(broken(reading, given)).toBe("the server: wsgi-input-bytes");
  });

  test("a second call of start_response with exc_info is right", () => {
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("200 OK", plain);
      startResponse("500 Oops", plain, excInfo(new Error("oops")));
      return [encodeText("oops")];
    };
    expect(broken(app)).toBeNull();
  });

  test("an answer without content needs no Content-Type", () => {
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("302 Found", [["Location", "/there"]]);
      return [];
    };
    expect(broken(app)).toBeNull();
  });

  test("a server that closes twice, or reads on, is told so", () => {
    const closable: WsgiApp = (given, startResponse) => Object.assign(good(given, startResponse), { close() {} });
    const result = validator(closable)(environ(), start);
    const iterator = result[Symbol.iterator]();
    result.close?.();
    expect(() => result.close?.()).toThrow(/wsgi-close-once/);
    expect(() => iterator.next()).toThrow(/wsgi-read-after-close/);
  });

  test("a server that never closes is told so in wsgi.errors, or through report", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const closable: WsgiApp = (given, startResponse): WsgiIterable =>
      Object.assign(good(given, startResponse), { close() {} });
    const reported: LintError[] = [];
    validator(closable, { report: (error) => void reported.push(error) })(environ(), start);
    await vi.waitFor(() => {
      collect();
      expect(reported.map(({ rule }) => rule)).toEqual(["wsgi-close"]);
    });
  });

  test("with report, tells every broken rule and goes on", () => {
    const rules: string[] = [];
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("200", [["Connection", "close"]]);
      return [encodeText("x")];
    };
    const result = validator(app, { report: ({ rule }) => void rules.push(rule) })(environ(), start);
    for (const _ of result);
    expect(rules).toEqual(["wsgi-status", "wsgi-content-type"]);
  });

  test("every rule has a name of its own and a sentence", () => {
    const rules = [...environRules, ...startRules];
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const { id, sentence } of rules) expect([id, sentence.length > 20]).toEqual([id, true]);
  });

  test("the message names the side at fault, the rule and its sentence", () => {
    expect(() => validator(good)({ ...environ(), SERVER_PORT: 80 } as unknown as Environ, start)).toThrow(
      'the server breaks the rule "SERVER_NAME and SERVER_PORT are required strings and must never be empty." (wsgi-environ-server): SERVER_PORT is number 80',
    );
  });
});
