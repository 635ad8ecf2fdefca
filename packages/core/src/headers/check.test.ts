import { expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { checkResponseHead } from "./check.ts";

function answer(
  parts: Omit<Partial<HttpResponse>, "headers"> & { lines?: readonly (readonly [string, string])[] },
): HttpResponse {
  const { lines = [], ...rest } = parts;
  return { kind: "response", status: 200, body: null, ...rest, headers: HeaderList.fromWire(lines.flat()) };
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);

test.each([
  { title: "a plain answer", parts: { lines: [["Content-Type", "text/html"]], body: bytes(3) } },
  { title: "the smallest status", parts: { status: 200 } },
  { title: "the largest status", parts: { status: 599 } },
  { title: "a length that fits", parts: { lines: [["content-length", "3"]], body: bytes(3) } },
  { title: "a length without a body, as for HEAD", parts: { lines: [["Content-Length", "3"]] } },
  { title: "a length and a stream", parts: { lines: [["Content-Length", "3"]], body: [bytes(9)] } },
  { title: "a 304 with the length of the whole", parts: { status: 304, lines: [["Content-Length", "3"]] } },
  { title: "a 204 with length zero", parts: { status: 204, lines: [["Content-Length", "0"]], body: bytes(0) } },
  { title: "Trailer with trailers", parts: { lines: [["Trailer", "X"]], trailers: () => null } },
  { title: "high bytes and tabs in values", parts: { lines: [["X", "caf\u00e9\tx"]] } },
  {
    title: "repeated fields",
    parts: {
      lines: [
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ],
    },
  },
] as { title: string; parts: Parameters<typeof answer>[0] }[])("R-H5: lets $title pass", ({ parts }) => {
  expect(() => checkResponseHead(answer(parts))).not.toThrow();
});

test.each([
  { title: "R-C10: a 1xx status", parts: { status: 101 }, message: "status" },
  { title: "R-H5: a status over 599", parts: { status: 600 }, message: "status" },
  { title: "R-H5: a broken status", parts: { status: 200.5 }, message: "status" },
  { title: "R-H5: a status that is text", parts: { status: "200" }, message: "status" },
  { title: "R-H5: no status", parts: { status: Number.NaN }, message: "status" },
  { title: "R-H5: a name with a blank", parts: { lines: [["X Y", "1"]] }, message: "no field name" },
  { title: "R-H5: a name with a colon", parts: { lines: [["X:", "1"]] }, message: "no field name" },
  { title: "R-H5: an empty name", parts: { lines: [["", "1"]] }, message: "no field name" },
  { title: "R-H5: a line break in a value", parts: { lines: [["X", "1\r\nSet-Cookie: a=b"]] }, message: "control" },
  { title: "R-H5: NUL in a value", parts: { lines: [["X", "\0"]] }, message: "control" },
  { title: "R-H5: a char that is no byte", parts: { lines: [["X", "\u0100"]] }, message: "control" },
  { title: "R-W4: Connection", parts: { lines: [["connection", "close"]] }, message: "connection" },
  { title: "R-W4: Transfer-Encoding", parts: { lines: [["Transfer-Encoding", "chunked"]] }, message: "connection" },
  { title: "R-W4: Upgrade", parts: { lines: [["Upgrade", "h2c"]] }, message: "connection" },
  { title: "R-W4: Trailer without trailers", parts: { lines: [["Trailer", "X"]] }, message: "no trailers" },
  {
    title: "R-W4: two lengths",
    parts: {
      lines: [
        ["Content-Length", "3"],
        ["content-length", "3"],
      ],
    },
    message: "more than once",
  },
  { title: "R-W4: a list of lengths", parts: { lines: [["Content-Length", "3, 3"]] }, message: "decimal" },
  { title: "R-W4: a negative length", parts: { lines: [["Content-Length", "-3"]] }, message: "decimal" },
  { title: "R-W4: an empty length", parts: { lines: [["Content-Length", ""]] }, message: "decimal" },
  {
    title: "R-W4: a length above the body's",
    parts: { lines: [["Content-Length", "4"]], body: bytes(3) },
    message: "3 bytes",
  },
  {
    title: "R-W4: a length below the body's",
    parts: { lines: [["Content-Length", "2"]], body: bytes(3) },
    message: "3 bytes",
  },
  { title: "R-H9: a 204 with a body", parts: { status: 204, body: bytes(1) }, message: "no body" },
  { title: "R-H9: a 304 with a body", parts: { status: 304, body: bytes(1) }, message: "no body" },
  { title: "R-H9: a 204 with a length", parts: { status: 204, lines: [["Content-Length", "1"]] }, message: "no body" },
] as { title: string; parts: Parameters<typeof answer>[0]; message: string }[])(
  "$title is a 500, each time it is checked",
  ({ parts, message }) => {
    const bad = answer(parts);
    for (let time = 0; time < 2; time++) {
      expect(() => checkResponseHead(bad)).toThrow(
        expect.objectContaining({ code: "GW_RESPONSE_HEAD", status: 500, message: expect.stringContaining(message) }),
      );
    }
  },
);

test("remembers a list, not what it was sent with", () => {
  const headers = HeaderList.from({ "Content-Length": "3" });
  const one: HttpResponse = { kind: "response", status: 200, headers, body: bytes(3) };
  expect(() => checkResponseHead(one)).not.toThrow();
  expect(() => checkResponseHead({ ...one, body: bytes(4) })).toThrow("4 bytes");
  expect(() => checkResponseHead({ ...one, status: 204, body: null })).toThrow("no body");
});

test("knows more names than it remembers", () => {
  for (let at = 0; at < 2_500; at++) checkResponseHead(answer({ lines: [[`X-${at}`, "1"]] }));
  expect(() => checkResponseHead(answer({ lines: [["X 1", "1"]] }))).toThrow("no field name");
});
