import { describe, expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import { type BlockKind, classifyBlock } from "./classify.ts";

type Lines = readonly (readonly [string, string])[];

function classify(lines: Lines, hasBody = false): unknown {
  const kind: BlockKind = classifyBlock(HeaderList.from(lines), hasBody);
  return "headers" in kind ? { ...kind, headers: [...kind.headers] } : kind;
}

const html = ["Content-Type", "text/html"] as const;
const local = ["Location", "/other?q=1"] as const;
const cookie = ["Set-Cookie", "a=1"] as const;

describe("R-C9: a document (RFC 3875 §6.2.1)", () => {
  test.each([
    { lines: [html], hasBody: true, status: 200, headers: [html] },
    { lines: [["status", "404 Not Found"], html], hasBody: true, status: 404, headers: [html] },
    { lines: [html, ["Status", "599"]], hasBody: true, status: 599, headers: [html] },
    { lines: [["Status", "204 No Content"]], hasBody: false, status: 204, headers: [] },
    { lines: [["Status", "304 Not Modified"]], hasBody: true, status: 304, headers: [] },
    { lines: [["Status", "200 "], cookie], hasBody: false, status: 200, headers: [cookie] },
    { lines: [["Status", "404\tNot Found"]], hasBody: false, status: 404, headers: [] },
  ] as { lines: Lines; hasBody: boolean; status: number; headers: Lines }[])(
    "$lines has the status $status",
    ({ lines, hasBody, status, headers }) => {
      expect(classify(lines, hasBody)).toEqual({ kind: "document", status, headers });
    },
  );
});

describe("R-C8: a local redirect (RFC 3875 §6.2.2)", () => {
  test.each([
    { lines: [local] },
    { lines: [local, html] },
    { lines: [html, local, ["Content-Length", "0"], ["Connection", "close"]] },
  ] as { lines: Lines }[])("$lines", ({ lines }) => {
    for (const hasBody of [true, false]) {
      expect(classify(lines, hasBody)).toEqual({ kind: "local-redirect", target: "/other?q=1" });
    }
  });
});

describe("R-C9: a client redirect (RFC 3875 §6.2.3, §6.2.4)", () => {
  test.each([
    { why: "an absolute URL", lines: [["Location", "https://example.com/"]], status: 302 },
    { why: "another scheme", lines: [["Location", "mailto:a@b"]], status: 302 },
    { why: "R-C8: a host after two slashes", lines: [["Location", "//evil.example/x"]], status: 302 },
    { why: "a path relative to the request", lines: [["Location", "other"]], status: 302 },
    { why: "a status beside a local path", lines: [["Status", "302 Found"], local], status: 302 },
    { why: "a 201 with a place", lines: [["Status", "201 Created"], local, html], status: 201 },
    { why: "a cookie, which the client has to see", lines: [local, cookie], status: 302 },
    {
      why: "a document of its own",
      lines: [["Location", "https://example.com/"], ["Status", "301"], html],
      status: 301,
    },
  ] as { why: string; lines: Lines; status: number }[])("$why", ({ lines, status }) => {
    const headers = lines.filter(([name]) => name !== "Status");
    expect(classify(lines)).toEqual({ kind: "client-redirect", status, headers });
  });
});

test("R-C10: hop-by-hop fields, and those that Connection lists, are dropped", () => {
  const hop: Lines = [
    ["Connection", "close, X-Hop"],
    ["Keep-Alive", "1"],
    ["Transfer-Encoding", "chunked"],
    ["Trailer", "X"],
    ["Upgrade", "h2c"],
    ["X-Hop", "1"],
  ];
  expect(classify([html, ...hop, cookie])).toEqual({ kind: "document", status: 200, headers: [html, cookie] });
});

test("R-C9: lengths that agree become one", () => {
  const lines: Lines = [html, ["Content-Length", "5"], cookie, ["content-length", "5"]];
  expect(classify(lines)).toMatchObject({ headers: [html, ["Content-Length", "5"], cookie] });
  expect(classify([html, ["Content-Length", "5, 5"]])).toMatchObject({ headers: [html, ["Content-Length", "5"]] });
});

test.each([
  { title: "R-C9: no field of CGI", lines: [cookie], code: "GW_CGI_NO_TYPE" },
  { title: "R-C9: no field at all", lines: [], code: "GW_CGI_NO_TYPE" },
  { title: "R-C9: a body without a type", lines: [["Status", "200"]], hasBody: true, code: "GW_CGI_NO_TYPE" },
  { title: "R-C9: two types", lines: [html, html], code: "GW_CGI_REPEATED" },
  {
    title: "R-C9: two statuses",
    lines: [
      ["Status", "200"],
      ["status", "200"],
    ],
    code: "GW_CGI_REPEATED",
  },
  { title: "R-C9: two locations", lines: [local, local], code: "GW_CGI_REPEATED" },
  { title: "R-C9: an empty location", lines: [["Location", ""]], code: "GW_CGI_BAD_LOCATION" },
  { title: "R-C10: a 1xx as the final status", lines: [html, ["Status", "100 Continue"]], code: "GW_CGI_BAD_STATUS" },
  { title: "R-C10: a 101 as the final status", lines: [html, ["Status", "101"]], code: "GW_CGI_BAD_STATUS" },
  { title: "R-C9: a status over 599", lines: [html, ["Status", "600"]], code: "GW_CGI_BAD_STATUS" },
  { title: "R-C9: a status of two digits", lines: [html, ["Status", "20"]], code: "GW_CGI_BAD_STATUS" },
  { title: "R-C9: a status of four digits", lines: [html, ["Status", "2000"]], code: "GW_CGI_BAD_STATUS" },
  { title: "R-C9: a status without a number", lines: [html, ["Status", "OK"]], code: "GW_CGI_BAD_STATUS" },
  { title: "R-C9: an empty status", lines: [html, ["Status", ""]], code: "GW_CGI_BAD_STATUS" },
  { title: "R-C9: a status line as status", lines: [html, ["Status", "HTTP/1.1 200 OK"]], code: "GW_CGI_BAD_STATUS" },
  {
    title: "R-C9: lengths that differ",
    lines: [html, ["Content-Length", "5"], ["Content-Length", "6"]],
    code: "GW_CONTENT_LENGTH",
  },
  { title: "R-C9: a malformed length", lines: [html, ["Content-Length", "+5"]], code: "GW_CONTENT_LENGTH" },
  {
    title: "R-C9: a malformed length beside a redirect",
    lines: [local, ["Content-Length", "x"]],
    code: "GW_CONTENT_LENGTH",
  },
] as { title: string; lines: Lines; hasBody?: boolean; code: string }[])(
  "$title is a 502, $code",
  ({ lines, hasBody, code }) => {
    expect(() => classify(lines, hasBody)).toThrow(expect.objectContaining({ code, status: 502 }));
  },
);
