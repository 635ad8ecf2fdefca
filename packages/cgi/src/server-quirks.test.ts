import { expect, test } from "vitest";
import { failsOnUnread, withoutQuirks } from "./server-quirks.ts";

const variables = (further: Record<string, string>): Map<string, string> =>
  new Map(Object.entries({ REQUEST_METHOD: "GET", REQUEST_URI: "/a%20b", ...further }));

test("Tomcat's REQUEST_URI gets the query that it leaves out", () => {
  const read = (further: Record<string, string>): string | undefined =>
    withoutQuirks(variables({ SERVER_SOFTWARE: "TOMCAT", ...further })).get("REQUEST_URI");
  expect(read({ QUERY_STRING: "x=%26&y" })).toBe("/a%20b?x=%26&y");
  expect(read({ QUERY_STRING: "" })).toBe("/a%20b");
  expect(read({ QUERY_STRING: "x", REQUEST_URI: "/a?x" })).toBe("/a?x");
  expect(read({ QUERY_STRING: "x", REQUEST_URI: "" })).toBe("");
});

test("variables of other servers stay as they are", () => {
  const own = variables({ SERVER_SOFTWARE: "Apache/2.4", QUERY_STRING: "x" });
  expect(withoutQuirks(own)).toBe(own);
});

test("fcgiwrap and Tomcat fail on unread input, others do not", () => {
  expect(failsOnUnread({ FCGI_ROLE: "RESPONDER" })).toBe(true);
  expect(failsOnUnread({ SERVER_SOFTWARE: "TOMCAT" })).toBe(true);
  expect(failsOnUnread({ SERVER_SOFTWARE: "lighttpd/1.4.69" })).toBe(false);
});
