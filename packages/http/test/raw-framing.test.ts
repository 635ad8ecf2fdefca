// R-H1 to R-H3: one reading of every message or none. Hand-written bytes against a real socket.
import { text } from "@gw/core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningServer, serve } from "../src/index.ts";
import { exchange, statuses } from "./raw.ts";

let server: RunningServer;
const seen: string[] = [];

beforeAll(async () => {
  server = serve(
    async (request) => {
      let body = "";
      for await (const chunk of request.body) body += Buffer.from(chunk).toString("latin1");
      seen.push(`${request.method} ${request.target} ${JSON.stringify(body)}`);
      return text("ok");
    },
    { bind: "127.0.0.1:0" },
  );
  await server.ready;
});
afterAll(() => server.close());
beforeEach(() => {
  seen.length = 0;
});

const post = (fields: string, body = "", version = "1.1"): string =>
  `POST / HTTP/${version}\r\nHost: h\r\n${fields}\r\n${body}`;
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/** Refused with this status, closed, and no app has seen anything. */
async function isRefused(bytes: string, status = 400): Promise<void> {
  const received = await exchange(server, bytes);
  expect(statuses(received)).toEqual([status]);
  expect(received).toMatch(/\r\nConnection: close\r\n/i);
  expect(seen).toEqual([]);
}

test.each<[string, string]>([
  ["two different lines", "Content-Length: 5\r\nContent-Length: 6\r\n"],
  ["two equal lines", "Content-Length: 5\r\nContent-Length: 5\r\n"],
  ["a list of equal numbers", "Content-Length: 5, 5\r\n"],
  ["a plus sign", "Content-Length: +5\r\n"],
  ["a minus sign", "Content-Length: -5\r\n"],
  ["nothing", "Content-Length: \r\n"],
  ["only a comma", "Content-Length: ,\r\n"],
  ["hexadecimal", "Content-Length: 0x5\r\n"],
  ["a blank inside", "Content-Length: 5 5\r\n"],
  ["a fraction", "Content-Length: 5.0\r\n"],
  ["an exponent", "Content-Length: 5e0\r\n"],
  ["a number beyond 2^64", "Content-Length: 18446744073709551621\r\n"],
  ["a number beyond 2^53", "Content-Length: 9007199254740993\r\n"],
  ["a vertical tab before it", "Content-Length: \x0b5\r\n"],
  ["a no-break space behind it", "Content-Length: 5\xa0\r\n"],
])("R-H1: a Content-Length of %s is refused", (_, fields) => isRefused(post(fields, `hello${SMUGGLED}`)));

test.each<[string, string]>([
  ["chunked, identity", "Transfer-Encoding: chunked, identity\r\n"],
  ["identity", "Transfer-Encoding: identity\r\n"],
  ["identity, chunked", "Transfer-Encoding: identity, chunked\r\n"],
  ["gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n"],
  ["chunked twice in a list", "Transfer-Encoding: chunked, chunked\r\n"],
  ["chunked on two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"],
  ["identity and chunked on two lines", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"],
  ["chunked and identity on two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"],
  ["nothing", "Transfer-Encoding: \r\n"],
  ["a list with an empty element", "Transfer-Encoding: ,chunked\r\n"],
  ["xchunked", "Transfer-Encoding: xchunked\r\n"],
  ["chunked with a parameter", "Transfer-Encoding: chunked;q=1\r\n"],
  ["quoted", 'Transfer-Encoding: "chunked"\r\n'],
  ["chunked after a vertical tab", "Transfer-Encoding: \x0bchunked\r\n"],
  ["chunked before a no-break space", "Transfer-Encoding: chunked\xa0\r\n"],
  ["chunked with a length before it", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"],
  ["chunked with a length behind it", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"],
  ["chunked with a length of 0", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"],
  ["identity with a length", "Transfer-Encoding: identity\r\nContent-Length: 5\r\n"],
])("R-H1: a Transfer-Encoding of %s is refused", (_, fields) => isRefused(post(fields, `0\r\n\r\n${SMUGGLED}`)));

test("R-H1: Transfer-Encoding in HTTP/1.0 is refused", () =>
  isRefused(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", "1.0")));

test.each([
  "Transfer-Encoding: chunked\r\n",
  "transfer-encoding: chunked\r\n",
  "Transfer-Encoding: Chunked\r\n",
  "Transfer-Encoding:chunked \r\n",
])("R-H1: %j is understood", async (field) => {
  await exchange(server, post(`${field}Connection: close\r\n`, "5\r\nhello\r\n0\r\n\r\n"));
  expect(seen).toEqual(['POST / "hello"']);
});

test("R-H1: a request without a length has no body, and what follows is the next request", async () => {
  await exchange(server, `${post("")}GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  expect(seen).toEqual(['POST / ""', 'GET /next ""']);
});

test.each<[string, string, number]>([
  ["HTTP/0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505],
  ["HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 400],
  ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505],
  ["HTTP/1", "GET / HTTP/1\r\nHost: h\r\n\r\n", 400],
  ["HTTP/1.10", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400],
  ["http/1.1", "GET / http/1.1\r\nHost: h\r\n\r\n", 400],
  ["no version", "GET /\r\n\r\n", 505],
  ["another protocol", "GET / SIP/2.0\r\nHost: h\r\n\r\n", 400],
  ["a tab in the request line", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["a blank behind the request line", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400],
  ["a blank before the request line", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["a blank inside the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["a control byte in the target", "GET /a\x01b HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["DEL in the target", "GET /a\x7fb HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["a method in lower case", "get / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["an unknown method", "FROB / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
])("R-H1: %s is refused", (_, bytes, status) => isRefused(bytes, status));

test.each<[string, string]>([
  ["a blank before the colon", "X-A : b\r\n"],
  ["a tab before the colon", "X-A\t: b\r\n"],
  ["a blank before the colon of Content-Length", "Content-Length : 5\r\n"],
  ["a blank before the colon of Transfer-Encoding", "Transfer-Encoding : chunked\r\n"],
  ["a blank before the name", " X-A: b\r\n"],
  ["a folded value", "X-A: b\r\n c\r\n"],
  ["a folded value with a tab", "X-A: b\r\n\tc\r\n"],
  ["a folded Transfer-Encoding", "Transfer-Encoding:\r\n chunked\r\n"],
  ["no colon", "X-A\r\n"],
  ["no name", ": b\r\n"],
  ["a bracket in the name", "X(A: b\r\n"],
  ["a byte above 7F in the name", "X-\xc4: b\r\n"],
  ["NUL in the name", "X\x00A: b\r\n"],
  ["NUL in the value", "X-A: b\x00c\r\n"],
  ["a control byte in the value", "X-A: b\x01c\r\n"],
  ["DEL in the value", "X-A: b\x7fc\r\n"],
  ["a bare CR in the value", "X-A: b\rc\r\n"],
  ["a bare CR before a name", "X-A: b\r\n\rX-B: c\r\n"],
  ["a line that ends with LF only", "X-A: b\n"],
  ["a line that ends with CR CR LF", "X-A: b\r\r\n"],
  ["a bare CR that hides a length", "X-A: b\rContent-Length: 5\r\n"],
])("R-H2: a field line with %s is refused", (_, line) => isRefused(post(line, `hello${SMUGGLED}`)));

test("R-H2: a head that ends with LF only is refused", () => isRefused("GET / HTTP/1.1\r\nHost: h\r\n\n"));
test("R-H2: a request line that ends with LF only is refused", () => isRefused("GET / HTTP/1.1\nHost: h\r\n\r\n"));
test("R-H2: a request line that ends with CR only is refused", () => isRefused("GET / HTTP/1.1\rHost: h\r\n\r\n"));

const chunked = (chunks: string): string => post("Transfer-Encoding: chunked\r\n", chunks);

test.each<[string, string]>([
  ["a plus sign", "+5\r\nhello\r\n0\r\n\r\n"],
  ["a minus sign", "-5\r\nhello\r\n0\r\n\r\n"],
  ["0x", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["a blank before it", " 5\r\nhello\r\n0\r\n\r\n"],
  ["nothing", "\r\nhello\r\n0\r\n\r\n"],
  ["a letter beyond F", "G\r\nhello\r\n0\r\n\r\n"],
  ["an underscore", "1_0\r\nhello\r\n0\r\n\r\n"],
  ["17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n".replace(/^0+/, "F".repeat(17))],
  ["a line that ends with LF only", "5\nhello\r\n0\r\n\r\n"],
  ["a line that ends with CR only", "5\rhello\r\n0\r\n\r\n"],
  ["less than the data", "4\r\nhello\r\n0\r\n\r\n"],
  ["data that ends with LF only", "5\r\nhello\n0\r\n\r\n"],
  ["data that ends with CR only", "5\r\nhello\r0\r\n\r\n"],
  ["data without an end", "5\r\nhello0\r\n\r\n"],
  ["an extension with a control byte", "5;a=\x01\r\nhello\r\n0\r\n\r\n"],
  ["a bare semicolon", "5;\r\nhello\r\n0\r\n\r\n"],
  ["a last chunk with LF only", "5\r\nhello\r\n0\n\r\n"],
  ["an end of the trailers with LF only", "5\r\nhello\r\n0\r\n\n"],
])("R-H3: a chunk size of %s is no body, and nothing behind it is a request", async (_, chunks) => {
  const received = await exchange(server, chunked(chunks + SMUGGLED));
  expect(statuses(received)).toEqual([400]);
  expect(seen).toEqual([]);
});

test("R-H3: a chunk extension of a sensible length is skipped", async () => {
  await exchange(server, chunked("5;name=value\r\nhello\r\n0\r\n\r\n").replace("Host", "Connection: close\r\nHost"));
  expect(seen).toEqual(['POST / "hello"']);
});

test("R-H3: chunk extensions beyond 16 kB are refused", async () => {
  const received = await exchange(server, chunked(`5;a=${"x".repeat(20_000)}\r\nhello\r\n0\r\n\r\n${SMUGGLED}`));
  expect(statuses(received)).toEqual([413]);
  expect(seen).toEqual([]);
});

test("R-H3: trailers beyond the header limit are refused", async () => {
  const received = await exchange(server, chunked(`5\r\nhello\r\n0\r\nX-A: ${"x".repeat(40_000)}\r\n\r\n${SMUGGLED}`));
  expect(statuses(received)).toEqual([431]);
  expect(seen).toEqual([]);
});

test("R-H3: more trailer lines than header lines are allowed end the connection", async () => {
  const lines = Array.from({ length: 300 }, (_, n) => `X-${n}: 1\r\n`).join("");
  const received = await exchange(server, chunked(`5\r\nhello\r\n0\r\n${lines}\r\n`));
  expect(statuses(received)).toEqual([431]);
});
