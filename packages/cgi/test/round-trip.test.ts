// Our own program under our own host: what one writes the other must read, whatever it is.
import { createHash } from "node:crypto";
import { type App, withPrincipal } from "@gw/core";
import { request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { cgiProgram } from "../src/index.ts";
import { PROGRAM } from "./run-program.ts";
import { onEverySpawner } from "./spawners.ts";

onEverySpawner((spawner) => {
  const app: App = cgiProgram({ spawner, command: process.execPath, args: [PROGRAM] });

  test("an answer comes back as the app gave it", async () => {
    const answer = await request(app, "/hello");
    expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "hello\n", "sent"]);
    expect([...answer.headers]).toEqual([
      ["Content-Type", "text/plain; charset=utf-8"],
      ["Content-Length", "6"],
    ]);
  });

  test("the request arrives as it was sent", async () => {
    const answer = await request(app, "/mnt/request?x=%41", {
      mount: "/mnt",
      headers: { Host: "example.org", Cookie: ["a=1", "b=2"], "X-Text": "\xec\x95\x88" },
      scheme: "https",
      protocol: "HTTP/2.0",
    });
    expect(answer.json()).toMatchObject({
      method: "GET",
      mount: "/mnt",
      path: "/request",
      query: "x=%41",
      target: "/mnt/request?x=%41",
      scheme: "https",
      protocol: "HTTP/2.0",
      client: { host: "127.0.0.1", port: 50_000 },
      headers: expect.arrayContaining([
        ["Host", "example.org"],
        ["Cookie", "a=1; b=2"],
        ["X-Text", "\xec\x95\x88"],
      ]),
    });
  });

  test("bytes that are not UTF-8 arrive as they were sent, or are a 400: never a lie", async () => {
    const answer = await request(app, "/request", { headers: { "X-Latin": "caf\xe9" } });
    if (spawner === "python")
      expect(answer.json()).toMatchObject({ headers: expect.arrayContaining([["X-Latin", "caf\xe9"]]) });
    else expect(answer.status).toBe(400);
    expect((await request(app, "/%E9")).status).toBe(spawner === "python" ? 404 : 400);
  });

  test.each(["/echo", "/echo-sync"])("900 kB go in and come back (%s)", async (path) => {
    const body = new Uint8Array(900_000).map((_, at) => at * 31);
    const answer = await request(app, path, { method: "POST", body });
    expect(Buffer.compare(answer.bytes, body)).toBe(0);
  });

  test("a body of unknown length arrives with one", async () => {
    const answer = await request(app, "/echo", { method: "POST", body: [new Uint8Array(5), new Uint8Array(6)] });
    expect(answer.bytes.length).toBe(11);
  });

  test("R-C19: an answer that broke off in the program is cut at the client", async () => {
    const answer = await request(app, "/breaks");
    expect([answer.text(), answer.outcome.result]).toEqual(["half", "cut"]);
  });

  test("R-C6: the user of a layer reaches the program, and its password does not", async () => {
    const withUser: App = {
      handle: (asked) => app.handle(withPrincipal(asked, { user: "안녕", type: "Basic", groups: [], claims: {} })),
    };
    const answer = await request(withUser, "/user", { headers: { Authorization: "Basic c2VjcmV0" } });
    expect(answer.json()).toEqual({ user: "안녕", type: "Basic", authorization: null });
  });

  test("a stream of 5,000 chunks keeps its bytes", async () => {
    const answer = await request(app, "/chunks");
    const sum = createHash("sha256").update(answer.bytes).digest("hex");
    expect(sum).toBe(createHash("sha256").update("b".repeat(5_000_000)).digest("hex"));
  });
});
