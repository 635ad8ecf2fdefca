import { expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import type { GatewayRequest } from "../model/request.ts";
import { testRequest, testSocket } from "../testing/builders.ts";
import { type Answered, answerRules } from "./answer-rules.ts";
import { checkRules, type LintError } from "./rule.ts";

function broken(answer: unknown, request: GatewayRequest = testRequest()): { rule: string; message: string } | null {
  let found: LintError | null = null;
  checkRules(answerRules, { answer, request } as Answered, {
    code: "GW_LINT_ANSWER",
    layer: "the test",
    report: (error) => {
      found = error;
    },
  });
  return found;
}

const fields = (name: string, value: string): HeaderList => HeaderList.fromWire([name, value]);
const answer = { kind: "response", status: 200, headers: HeaderList.empty, body: null };
const accept = { kind: "accept", subprotocol: null, headers: HeaderList.empty, run: async () => {} };
const socket = testSocket("/", { subprotocols: ["v1"] });

class Answer {}

test.each([
  { why: "no body", given: answer },
  { why: "bytes", given: { ...answer, body: new Uint8Array(3) } },
  { why: "an array of chunks", given: { ...answer, body: [new Uint8Array(3)] } },
  { why: "a generator", given: { ...answer, body: (async function* () {})() } },
  { why: "a web stream", given: { ...answer, body: new ReadableStream() } },
  { why: "functions", given: { ...answer, close: () => {}, trailers: () => null } },
  {
    why: "an accepted socket",
    given: { ...accept, subprotocol: "v1", headers: fields("Set-Cookie", "a=1") },
    request: socket,
  },
  { why: "a refused socket", given: { ...answer, status: 403 }, request: socket },
  { why: "a redirected socket", given: { ...answer, status: 302 }, request: socket },
])("an answer with $why keeps all rules", ({ given, request }) => {
  expect(broken(given, request)).toBeNull();
});

const cases: readonly (readonly [rule: string, found: string, answer: unknown, request?: GatewayRequest])[] = [
  ["answer-plain", "undefined", undefined],
  ["answer-plain", "an object Response", new Response("x")],
  ["answer-plain", "an object Answer", Object.assign(new Answer(), answer)],
  ["answer-plain", "status is a getter", Object.defineProperty({ ...answer }, "status", { get: () => 200 })],
  ["answer-kind", "undefined", { ...answer, kind: undefined }],
  ["answer-headers", "an object", { ...answer, headers: { "Content-Type": "a/b" } }],
  ["answer-headers", "an object Headers", { ...answer, headers: new Headers() }],
  ["answer-headers", "the value of X", { ...answer, headers: fields("X", "a\r\nb") }],
  ["answer-close", "null", { ...answer, close: null }],
  ["answer-for-socket", "an opening was answered with 200", answer, socket],
  ["answer-for-socket", "an opening was answered with 204", { ...answer, status: 204 }, socket],
  ["answer-for-socket", "a request was accepted", accept],
  ["answer-status", "101", { ...answer, status: 101 }],
  ["answer-status", '"200"', { ...answer, status: "200" }],
  ["answer-body", '"hello"; encode text', { ...answer, body: "hello" }],
  ["answer-body", "undefined", { ...answer, body: undefined }],
  ["answer-body", "an object", { ...answer, body: { text: "x" } }],
  ["answer-head", "Connection", { ...answer, headers: fields("Connection", "close") }],
  [
    "answer-head",
    "Content-Length is 5",
    { ...answer, headers: fields("Content-Length", "5"), body: new Uint8Array(4) },
  ],
  ["answer-head", "no body", { ...answer, status: 304, body: new Uint8Array(4) }],
  ["answer-trailers", "an object", { ...answer, trailers: HeaderList.empty }],
  ["accept-run", "undefined", { ...accept, run: undefined }, socket],
  ["accept-subprotocol", '"v2"', { ...accept, subprotocol: "v2" }, socket],
  ["accept-subprotocol", "undefined", { ...accept, subprotocol: undefined }, socket],
  ["accept-headers", "Sec-WebSocket-Protocol", { ...accept, headers: fields("Sec-WebSocket-Protocol", "v1") }, socket],
  ["accept-headers", "upgrade", { ...accept, headers: fields("upgrade", "websocket") }, socket],
  ["accept-headers", "Content-Length", { ...accept, headers: fields("Content-Length", "0") }, socket],
];

test.each(cases.map(([rule, found, given, request]) => ({ rule, found, given, request })))(
  "$rule is broken by $found",
  ({ rule, found, given, request }) => {
    expect(broken(given, request)).toMatchObject({ rule, message: expect.stringContaining(found) });
  },
);

test("each rule is shown to break", () => {
  expect(new Set(cases.map(([rule]) => rule))).toEqual(new Set(answerRules.map(({ id }) => id)));
});
