import { compose, type HttpResponse, text } from "@gw/core";
import { request } from "@gw/core/testing";
import { expect, test, vi } from "vitest";
import { conditionalGet } from "./conditional-get.ts";

const date = "Sun, 06 Nov 1994 08:49:37 GMT";
const answerOf = (headers: Record<string, string>, status = 200): HttpResponse => text("page", { status, headers });
const appOf = (answer: HttpResponse) => compose([conditionalGet()], () => answer);

test.each<[string, HttpResponse, string, Record<string, string>, number]>([
  ["its tag", answerOf({ ETag: '"a"' }), "GET", { "If-None-Match": '"a"' }, 304],
  ["its tag, weakly", answerOf({ ETag: 'W/"a"' }), "GET", { "If-None-Match": '"a"' }, 304],
  ["its tag, for a HEAD", answerOf({ ETag: '"a"' }), "HEAD", { "If-None-Match": '"a"' }, 304],
  ["another tag", answerOf({ ETag: '"b"' }), "GET", { "If-None-Match": '"a"' }, 200],
  ["its date", answerOf({ "Last-Modified": date }), "GET", { "If-Modified-Since": date }, 304],
  ["a date that is none", answerOf({ "Last-Modified": "today" }), "GET", { "If-Modified-Since": date }, 200],
  [
    "a date and another tag",
    answerOf({ ETag: '"b"', "Last-Modified": date }),
    "GET",
    { "If-None-Match": '"a"', "If-Modified-Since": date },
    200,
  ],
  ["If-Match of another tag", answerOf({ ETag: '"b"' }), "GET", { "If-Match": '"a"' }, 412],
  ["no validator", answerOf({}), "GET", { "If-None-Match": "*" }, 200],
  ["an error's tag", answerOf({ ETag: '"a"' }, 404), "GET", { "If-None-Match": '"a"' }, 404],
  ["a change that has happened", answerOf({ ETag: '"a"' }), "PUT", { "If-None-Match": '"a"' }, 200],
])("%s", async (_what, answer, method, headers, status) => {
  expect((await request(appOf(answer), "/", { method, headers })).status).toBe(status);
});

test("the body that is not sent is closed, once; cookies and caching stay", async () => {
  const close = vi.fn();
  const answer = {
    ...answerOf({ ETag: '"a"', "Set-Cookie": "a=1", "Cache-Control": "max-age=5", Vary: "Accept" }),
    close,
  };
  const sent = await request(appOf(answer), "/", { headers: { "If-None-Match": '"a"' } });
  expect(sent.headers.toJSON().map(([name]) => name)).toEqual(["ETag", "Set-Cookie", "Cache-Control", "Vary"]);
  expect(close).toHaveBeenCalledTimes(1);
});
