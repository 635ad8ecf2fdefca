import { createContext, encodeText, type LogMethod, silentLogger } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { WsgiErrors } from "./errors-stream.ts";
import { wrapFile } from "./file-wrapper.ts";
import { fromWsgi } from "./from-wsgi.ts";
import type { WsgiApp } from "./types.ts";

/** A logger that keeps the error lines. */
function keptLog() {
  const lines: string[] = [];
  const error: LogMethod = (facts: object | string, message?: string) => void lines.push(message ?? String(facts));
  const log = { ...silentLogger, error, child: () => log };
  return { log, lines };
}

describe("wsgi.errors", () => {
  test("logs line by line, and the rest when it is flushed", () => {
    const { log, lines } = keptLog();
    const errors = new WsgiErrors({ ...testRequest("/").exchange, log, id: "1" });
    errors.write("one\ntwo");
    expect(lines).toEqual(["one"]);
    errors.writelines([" and a half\n", "three"]);
    expect(lines).toEqual(["one", "two and a half"]);
    errors.flush();
    expect(lines).toEqual(["one", "two and a half", "three"]);
  });

  test("takes any text", () => {
    const { log, lines } = keptLog();
    const errors = new WsgiErrors({ ...testRequest("/").exchange, log, id: "1" });
    errors.write("안녕\n");
    expect(lines).toEqual(["안녕"]);
  });

  test("does not keep a line without end for ever", () => {
    const { log, lines } = keptLog();
    const errors = new WsgiErrors({ ...testRequest("/").exchange, log, id: "1" });
    for (let at = 0; at < 20; at++) errors.write("x".repeat(1_000));
    expect(lines.length).toBeGreaterThan(0);
  });

  test("what an app wrote without a line end is logged when its answer is closed", async () => {
    const { log, lines } = keptLog();
    const app: WsgiApp = (environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      environ["wsgi.errors"].write("before");
      return (function* () {
        yield encodeText("a");
        environ["wsgi.errors"].write("after");
        yield encodeText("b");
      })();
    };
    await request(fromWsgi(app), "/", { context: createContext({ log }) });
    expect(lines).toEqual(["before", "after"]);
  });
});

describe("wsgi.file_wrapper", () => {
  function file(text: string) {
    const bytes = encodeText(text);
    const seen = { at: 0, closed: 0, sizes: [] as (number | undefined)[] };
    return {
      seen,
      read(size?: number): Uint8Array {
        seen.sizes.push(size);
        const chunk = bytes.subarray(seen.at, seen.at + (size ?? bytes.length));
        seen.at += chunk.length;
        return chunk;
      },
      close() {
        seen.closed++;
      },
    };
  }

  test("reads nothing before it is iterated, then block by block", () => {
    const filelike = file("abcde");
    const iterable = wrapFile(filelike, 2);
    expect(filelike.seen.sizes).toEqual([]);
    expect([...iterable].map((block) => new TextDecoder().decode(block))).toEqual(["ab", "cd", "e"]);
  });

  test("starts where the file stands", () => {
    const filelike = file("abcde");
    filelike.read(3);
    expect([...wrapFile(filelike)].map((block) => new TextDecoder().decode(block))).toEqual(["de"]);
  });

  test("R-W3: its close() closes the file, once, when the answer ends", async () => {
    const filelike = file("x".repeat(100_000));
    const app = fromWsgi((environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return environ["wsgi.file_wrapper"](filelike, 8_192);
    });
    expect((await request(app)).bytes.length).toBe(100_000);
    expect(filelike.seen.closed).toBe(1);
  });

  test("serves a file-like without close()", () => {
    const { read } = file("abc");
    expect(() => wrapFile({ read }).close?.()).not.toThrow();
  });
});
