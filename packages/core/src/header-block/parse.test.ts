import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteStringToBytes, bytesToByteString } from "../bytes/byte-string.ts";
import { HeaderList } from "../model/headers.ts";
import { cutsOf } from "../testing/cuts.ts";
import { type HeaderBlock, HeaderBlockDecoder, type HeaderBlockOptions } from "./parse.ts";
import { writeHeaderBlock } from "./write.ts";

/** What a program wrote, read from these chunks: the fields and all of the body; an error's code instead. */
function read(chunks: readonly Uint8Array[], options?: HeaderBlockOptions): unknown {
  const decoder = new HeaderBlockDecoder(options);
  let block: HeaderBlock | null = null;
  let body = "";
  try {
    for (const chunk of chunks) {
      if (block !== null) body += bytesToByteString(chunk);
      else {
        block = decoder.feed(chunk);
        if (block !== null) body = bytesToByteString(block.rest);
      }
    }
    return block === null ? decoder.end() : { fields: [...block.headers], body };
  } catch (error) {
    expect(error).toMatchObject({ name: "HeaderBlockError", status: 502 });
    return (error as { code: string }).code;
  }
}

const nph = { nph: true };

const table: readonly { text: string; options?: HeaderBlockOptions; expected: unknown }[] = [
  {
    text: "Content-Type: text/plain\r\n\r\nhello",
    expected: { fields: [["Content-Type", "text/plain"]], body: "hello" },
  },
  {
    text: "Content-Type: text/plain\n\nhello\n\n",
    expected: { fields: [["Content-Type", "text/plain"]], body: "hello\n\n" },
  },
  {
    text: "A: 1\r\nB: 2\n\r\n\r\n",
    expected: {
      fields: [
        ["A", "1"],
        ["B", "2"],
      ],
      body: "\r\n",
    },
  },
  { text: "Status:404\n\n", expected: { fields: [["Status", "404"]], body: "" } },
  {
    text: "a:\tx y \t\nb:\n\n",
    expected: {
      fields: [
        ["a", "x y"],
        ["b", ""],
      ],
      body: "",
    },
  },
  {
    text: "Set-Cookie: a=1\nSet-Cookie: b=2\n\n",
    expected: {
      fields: [
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ],
      body: "",
    },
  },
  {
    text: "X: caf\u00e9\u00ff\n\n\u0000\u00ff",
    expected: { fields: [["X", "caf\u00e9\u00ff"]], body: "\u0000\u00ff" },
  },
  { text: "X: a:b: c\n\n", expected: { fields: [["X", "a:b: c"]], body: "" } },
  { text: "\nbody", expected: { fields: [], body: "body" } },
  {
    text: "HTTP/1.1 404 Not Found\r\nA: 1\r\n\r\nx",
    options: nph,
    expected: {
      fields: [
        ["Status", "404 Not Found"],
        ["A", "1"],
      ],
      body: "x",
    },
  },
  { text: "HTTP/1.0 200\n\n", options: nph, expected: { fields: [["Status", "200"]], body: "" } },
  { text: "HTTP/1.1 200 \n\n", options: nph, expected: { fields: [["Status", "200"]], body: "" } },
];

const malformed: readonly { title: string; text: string; options?: HeaderBlockOptions; expected: string }[] = [
  { title: "R-C9: no output", text: "", expected: "GW_CGI_NO_OUTPUT" },
  { title: "R-C19: an end before the empty line", text: "A: 1\r\n", expected: "GW_CGI_CUT" },
  { title: "R-C19: an end inside a line", text: "A: 1\r\nB", expected: "GW_CGI_CUT" },
  { title: "R-C9: a line without a colon", text: "hello world\n\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: a blank before the colon", text: "A : 1\n\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: a folded line", text: "A: 1\r\n 2\r\n\r\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: a folded line that looks like a field", text: "A: 1\r\n\tB: 2\r\n\r\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: a bare CR in a value", text: "A: 1\rB: 2\n\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: two CRs at the end of a line", text: "A: 1\r\r\n\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: NUL in a value", text: "A: 1\0\n\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: NUL in a name", text: "A\0: 1\n\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: an empty name", text: ": 1\n\n", expected: "GW_CGI_BAD_LINE" },
  { title: "R-C9: a byte order mark", text: "\u00ef\u00bb\u00bfA: 1\n\n", expected: "GW_CGI_BAD_LINE" },
  {
    title: "R-C11: a status line where NPH is not allowed",
    text: "HTTP/1.1 200 OK\r\n\r\n",
    expected: "GW_CGI_BAD_LINE",
  },
  {
    title: "R-C11: NPH without a status line",
    text: "Content-Type: a/b\n\n",
    options: nph,
    expected: "GW_CGI_BAD_STATUS",
  },
  { title: "R-C11: an NPH status line of HTTP/2", text: "HTTP/2 200\n\n", options: nph, expected: "GW_CGI_BAD_STATUS" },
  { title: "R-C11: an NPH status of two digits", text: "HTTP/1.1 20\n\n", options: nph, expected: "GW_CGI_BAD_STATUS" },
  {
    title: "R-C11: an NPH program that frames its body",
    text: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n",
    options: nph,
    expected: "GW_CGI_FRAMING",
  },
  {
    title: "R-C17: a block over the limit",
    text: "A: 123\n\n",
    options: { maxBytes: 7 },
    expected: "GW_CGI_TOO_LARGE",
  },
  {
    title: "R-C17: a line that never ends",
    text: "A: 1234567",
    options: { maxBytes: 7 },
    expected: "GW_CGI_TOO_LARGE",
  },
  {
    title: "R-C17: too many lines",
    text: "A: 1\nB: 2\nC: 3\n\n",
    options: { maxLines: 2 },
    expected: "GW_CGI_TOO_LARGE",
  },
];

describe("however the bytes are cut", () => {
  test.each(table)("reads $text", ({ text, options, expected }) => {
    for (const chunks of cutsOf(byteStringToBytes(text))) expect(read(chunks, options)).toEqual(expected);
  });

  test.each(malformed)("$title is $expected", ({ text, options, expected }) => {
    for (const chunks of cutsOf(byteStringToBytes(text))) expect(read(chunks, options)).toBe(expected);
  });
});

test("R-C17: takes a block of exactly the limits", () => {
  const text = "A: 1\nB: 2\n\n";
  expect(read([byteStringToBytes(text)], { maxBytes: text.length, maxLines: 2 })).toMatchObject({ body: "" });
});

test("R-C17: the limits are 64 kB and 200 lines unless told otherwise", () => {
  const lines = (count: number): Uint8Array => byteStringToBytes(`${"A: 1\n".repeat(count)}\n`);
  const line = (length: number): Uint8Array => byteStringToBytes(`A: ${"x".repeat(length - 5)}\n\n`);
  expect(read([lines(200)])).toMatchObject({ body: "" });
  expect(read([lines(201)])).toBe("GW_CGI_TOO_LARGE");
  expect(read([line(65_536)])).toMatchObject({ body: "" });
  expect(read([line(65_537)])).toBe("GW_CGI_TOO_LARGE");
});

test("R-C17: stops at the limit, whatever is still to come", () => {
  const decoder = new HeaderBlockDecoder({ maxBytes: 100 });
  const chunk = byteStringToBytes("x".repeat(10));
  expect(() => {
    for (let at = 0; at < 10; at++) decoder.feed(chunk);
  }).toThrow(expect.objectContaining({ code: "GW_CGI_TOO_LARGE" }));
});

test("R-C17: a long run of blanks inside a value is read once, not once for each of them", () => {
  const value = `x${" ".repeat(60_000)}y`;
  for (let times = 0; times < 20; times++) {
    expect(read([byteStringToBytes(`A: \t${value} \n\n`)])).toEqual({ fields: [["A", value]], body: "" });
  }
});

test("is not fed with the body", () => {
  const decoder = new HeaderBlockDecoder();
  decoder.feed(byteStringToBytes("A: 1\n\nrest"));
  expect(() => decoder.feed(byteStringToBytes("body"))).toThrow("complete already");
});

test("reads what writeHeaderBlock wrote", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,10}$/);
  const value = fc
    .stringMatching(/^[\u0020-\u007e\u0080-\u00ff\t]{0,20}$/)
    .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.array(fc.tuple(name, value), { maxLength: 6 }),
      (status, fields) => {
        const bytes = writeHeaderBlock(status, HeaderList.from(fields));
        const result = read([bytes]) as { fields: [string, string][]; body: string };
        expect(result.body).toBe("");
        expect(result.fields[0]?.[0]).toBe("Status");
        expect(Number(result.fields[0]?.[1].slice(0, 3))).toBe(status);
        expect(result.fields.slice(1)).toEqual(fields);
      },
    ),
  );
});

test("whatever a program writes, there is a block or a 502", () => {
  const piece = fc.constantFrom("A", ":", " ", "\r", "\n", "\0", "Status: 200", "\n\n", "HTTP/1.1 200 OK\n");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, isNph) => {
      const bytes = byteStringToBytes(pieces.join(""));
      const whole = read([bytes], { nph: isNph });
      for (const chunks of cutsOf(bytes)) expect(read(chunks, { nph: isNph })).toEqual(whole);
    }),
  );
});

test.each([
  [200, {}, "Status: 200 OK\r\n\r\n"],
  [299, { A: "1" }, "Status: 299\r\nA: 1\r\n\r\n"],
  [
    302,
    { Location: "/x", "Set-Cookie": ["a=1", "b=\u00e9"] },
    "Status: 302 Found\r\nLocation: /x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=\u00e9\r\n\r\n",
  ],
] as const)("writes the status %i and the fields %j", (status, headers, text) => {
  expect(bytesToByteString(writeHeaderBlock(status, HeaderList.from(headers)))).toBe(text);
});
