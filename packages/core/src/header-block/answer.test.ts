import { expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { isBodiless, withoutTrailers, writeAnswerBlock } from "./answer.ts";

function block(status: number, headers: Record<string, string>, body: HttpResponse["body"]): string {
  const answer: HttpResponse = { kind: "response", status, headers: HeaderList.from(headers), body };
  return Buffer.from(writeAnswerBlock(answer)).toString("latin1");
}

test("a body of known length gets its Content-Length, a 304 does not", () => {
  expect(block(200, {}, Buffer.from("four"))).toBe("Status: 200 OK\r\nContent-Length: 4\r\n\r\n");
  expect(block(304, {}, Buffer.from("four"))).not.toContain("Content-Length");
});

test("a Location beside a 200 is left out, beside a 201 it stays", () => {
  expect(block(200, { Location: "/a" }, null)).not.toContain("Location");
  expect(block(201, { Location: "/a" }, null)).toContain("Location: /a\r\n");
});

test("hop-by-hop fields are left out", () => {
  expect(block(200, { Connection: "close", "X-Kept": "1" }, null)).toBe("Status: 200 OK\r\nX-Kept: 1\r\n\r\n");
});

test("HEAD, 204 and 304 have no body", () => {
  expect([isBodiless("HEAD", 200), isBodiless("GET", 204), isBodiless("GET", 304)]).toEqual([true, true, true]);
  expect(isBodiless("GET", 200)).toBe(false);
});

test("trailers are not asked for, close is kept", () => {
  const close = (): void => {};
  const plain = withoutTrailers({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: null,
    close,
    trailers: () => null,
  });
  expect(plain).toEqual({ kind: "response", status: 200, headers: HeaderList.empty, body: null, close });
});
