import { existsSync, readFileSync } from "node:fs";
import { gateway, text } from "@gw/core";
import { request, testSocket } from "@gw/core/testing";
import { describe, expect, vi } from "vitest";
import { cgiBin, cgiProgram } from "../src/index.ts";
import { isAlive } from "./processes.ts";
import { shellProgram, temporaryDirectory, writePrograms } from "./programs.ts";
import { type Exceptions, onEverySpawner } from "./spawners.ts";

const fcgiwrapCannot: Exceptions = [
  [/nothing at all/, "answers 502 itself, with its own words"],
  [/such a block is ended/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/a bare CR in a value/, "drops CR from header blocks"],
];

onEverySpawner((spawner, { test }) => {
  const run = (script: string, options: object = {}): ReturnType<typeof cgiProgram> =>
    cgiProgram({ spawner, command: shellProgram(script), ...options });

  describe("documents", () => {
    test("a document has the program's type, status and body", async () => {
      const app = run(
        String.raw`printf 'Status: 418 Short and stout\r\nContent-Type: text/x-tea\r\nX-Pot: 1\r\n\r\ntea\n'`,
      );
      const answer = await request(app);
      expect([answer.status, answer.text()]).toEqual([418, "tea\n"]);
      expect([...answer.headers]).toEqual([
        ["Content-Type", "text/x-tea"],
        ["X-Pot", "1"],
      ]);
      expect(answer.outcome.result).toBe("sent");
    });

    test("a header block that comes in pieces, one byte a write, is read whole", async () => {
      const app = run(String.raw`for c in Content- Type ':' ' text/pl' ain '\n' '\n' bo dy; do printf "$c"; done`);
      expect((await request(app)).text()).toBe("body");
    });

    test("repeated Set-Cookie lines stay apart and in order", async () => {
      const app = run(String.raw`printf 'Content-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\n\n'`);
      expect((await request(app)).headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
    });

    test("R-C10: hop-by-hop fields of a program are dropped", async () => {
      const app = run(
        String.raw`printf 'Content-Type: text/plain\nConnection: close, X-Mine\nX-Mine: 1\nKeep-Alive: 5\nTransfer-Encoding: chunked\n\nbody'`,
      );
      const answer = await request(app);
      expect([...answer.headers].map(([name]) => name)).toEqual(["Content-Type"]);
      expect(answer.text()).toBe("body");
    });

    test.each([204, 304])("an answer with status %i has no body, whatever the program writes", async (status) => {
      const answer = await request(run(`printf 'Status: ${status}\\n\\n'; printf '' 2>/dev/null`));
      expect([answer.status, answer.bytes.length, answer.outcome.result]).toEqual([status, 0, "sent"]);
    });

    test("HEAD gets the head, and the program runs to its end", async () => {
      const mark = `${temporaryDirectory()}/done`;
      const app = run(
        String.raw`printf 'Content-Type: text/plain\nContent-Length: 5\n\nhello'; sleep 0.1; touch ${mark}`,
      );
      const answer = await request(app, "/", { method: "HEAD" });
      expect([answer.status, answer.headers.get("content-length"), answer.bytes.length]).toEqual([200, "5", 0]);
      await expect.poll(() => existsSync(mark)).toBe(true);
    });

    test("what a program writes beyond its Content-Length is dropped", async () => {
      const answer = await request(run(String.raw`printf 'Content-Type: text/plain\nContent-Length: 4\n\nbody\n\n'`));
      expect([answer.text(), answer.outcome.result]).toEqual(["body", "sent"]);
    });

    test("a WebSocket opening is refused with 501", async () => {
      const handled = Promise.resolve().then(() => run("exit 1").handle(testSocket("/")));
      await expect(handled).rejects.toMatchObject({ code: "GW_CGI_NO_WEBSOCKET", status: 501 });
    });
  });

  describe("redirects", () => {
    const inside = (script: string): ReturnType<ReturnType<typeof gateway>["run"]> =>
      gateway()
        .mount("/cgi", run(script))
        .run((asked) => text(`${asked.method} ${asked.mount}${asked.path}?${asked.query} ${asked.body.length}`));

    test("R-C8: a local redirect is answered inside, as GET without a body", async () => {
      // It reads its input: fcgiwrap, which is one of the spawners here, may break off otherwise.
      const script = String.raw`cat > /dev/null; printf 'Location: /other/page?x=1\n\n'`;
      const answer = await request(inside(script), "/cgi/a", {
        method: "POST",
        body: "data",
      });
      expect([answer.status, answer.text()]).toEqual([200, "GET /other/page?x=1 0"]);
      expect(answer.headers.has("location")).toBe(false);
    });

    test("R-C8: a program that redirects to itself is stopped after ten rounds", async () => {
      const answer = await request(inside(String.raw`printf 'Location: /cgi/again\n\n'`), "/cgi/a");
      expect([answer.status, answer.text()]).toEqual([502, "502 Bad Gateway\n"]);
    });

    test("R-C8: a place on another host is not local", async () => {
      const answer = await request(inside(String.raw`printf 'Location: //evil.example/x\n\n'`), "/cgi/a");
      expect([answer.status, answer.headers.get("location")]).toEqual([302, "//evil.example/x"]);
    });

    test("R-C9: an absolute Location without a status is a 302 of the client", async () => {
      const answer = await request(run(String.raw`printf 'Location: https://example.org/\n\n'`));
      expect([answer.status, answer.headers.get("location"), answer.bytes.length]).toEqual([
        302,
        "https://example.org/",
        0,
      ]);
    });

    test("R-C9: a client redirect may bring a status and a document", async () => {
      const script = String.raw`printf 'Status: 301 Moved\nLocation: /elsewhere\nContent-Type: text/html\n\n<a>moved</a>'`;
      const answer = await request(inside(script), "/cgi/a");
      expect([answer.status, answer.headers.get("location"), answer.text()]).toEqual([
        301,
        "/elsewhere",
        "<a>moved</a>",
      ]);
    });
  });

  describe("malformed answers", () => {
    test.each([
      ["nothing at all", "exit 0"],
      ["an exit before the end of the block", String.raw`printf 'Content-Type: text/plain\n'; exit 3`],
      ["a line without a colon", String.raw`printf 'hello world\n\nbody'`],
      ["a blank before the colon", String.raw`printf 'Content-Type : text/plain\n\nbody'`],
      ["a folded line", String.raw`printf 'Content-Type: text/plain\n  folded\n\nbody'`],
      ["NUL in a value", String.raw`printf 'Content-Type: text/plain\nX-A: a\000b\n\nbody'`],
      ["a bare CR in a value", String.raw`printf 'Content-Type: text/plain\nX-A: a\rX-B: b\n\nbody'`],
      ["a body without Content-Type", String.raw`printf 'X-A: 1\n\nbody'`],
      ["a status that is no number", String.raw`printf 'Status: fine\nContent-Type: text/plain\n\nbody'`],
      ["a 1xx status", String.raw`printf 'Status: 100 Continue\nContent-Type: text/plain\n\nbody'`],
      [
        "two Content-Lengths",
        String.raw`printf 'Content-Type: text/plain\nContent-Length: 4\nContent-Length: 5\n\nbody'`,
      ],
      ["a Content-Length that is no number", String.raw`printf 'Content-Type: text/plain\nContent-Length: +4\n\nbody'`],
      ["text that no CGI program would print", "cat /etc/passwd"],
    ])("R-C9: %s is a 502 without detail", async (_, script) => {
      const answer = await request(run(script));
      expect([answer.status, answer.text()]).toEqual([502, "502 Bad Gateway\n"]);
    });

    const longHeader = String.raw`printf 'X-Long: '; head -c 1000000 /dev/zero | tr '\000' a`;

    test("R-C17: a header block of 1 MB is a 502 without detail", async () => {
      const answer = await request(run(longHeader));
      expect([answer.status, answer.text()]).toEqual([502, "502 Bad Gateway\n"]);
    });

    test("R-C17: a program that writes such a block is ended", async () => {
      const directory = temporaryDirectory();
      const script = `echo $$ > ${directory}/pid; ${longHeader}; sleep 2; touch ${directory}/survived`;
      expect((await request(run(script))).status).toBe(502);
      const pid = Number(readFileSync(`${directory}/pid`, "utf8"));
      await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 4_000);
      expect(existsSync(`${directory}/survived`)).toBe(false);
    });

    test("R-C17: a header block of 201 lines is a 502", async () => {
      const answer = await request(run("for i in $(seq 201); do echo X-$i: 1; done; echo; echo body"));
      expect(answer.status).toBe(502);
    });
  });

  describe("whole HTTP heads (NPH)", () => {
    const nph = String.raw`#!/bin/sh
printf 'HTTP/1.1 202 Fine\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nown head'`;

    test("R-C11: a whole HTTP head is a 502 unless the mount allows it", async () => {
      const directory = writePrograms(temporaryDirectory(), { "nph-a.cgi": nph });
      expect((await request(cgiBin({ spawner, root: directory }), "/nph-a.cgi")).status).toBe(502);
    });

    test("R-C11: where it is allowed, the head is read and sent by us", async () => {
      const directory = writePrograms(temporaryDirectory(), { "nph-a.cgi": nph, "other.cgi": nph });
      const app = cgiBin({ spawner, root: directory, nph: true });
      const answer = await request(app, "/nph-a.cgi");
      expect([answer.status, answer.text(), [...answer.headers]]).toEqual([
        202,
        "own head",
        [["Content-Type", "text/plain"]],
      ]);
      expect((await request(app, "/other.cgi")).status).toBe(502);
    });
  });
}, fcgiwrapCannot);
