import { expect, test } from "vitest";
import { parseHttpDate, writeHttpDate } from "./http-date.ts";

const MS = Date.UTC(1994, 10, 6, 8, 49, 37);

test.each(["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])(
  "reads the three forms of RFC 9110 §5.6.7: %s",
  (text) => expect(parseHttpDate(text)).toBe(MS),
);

test("writes the one form that is to be written", () => {
  expect(writeHttpDate(MS + 999)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
});

test("takes two digits as the year that is at most 50 years ahead", () => {
  const next = (new Date().getUTCFullYear() + 49) % 100;
  const past = (new Date().getUTCFullYear() + 51) % 100;
  const year = (digits: number) =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${String(digits).padStart(2, "0")} 08:49:37 GMT`) ?? 0).getUTCFullYear();
  expect(year(next)).toBe(new Date().getUTCFullYear() + 49);
  expect(year(past)).toBe(new Date().getUTCFullYear() - 49);
});

test.each([
  "",
  "0",
  "1994-11-06T08:49:37Z",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 UTC",
  "Sun, 06 Nov 1994 25:49:37 GMT",
  "Sun, 31 Feb 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
])("gives null for %j", (text) => expect(parseHttpDate(text)).toBeNull());
