import fc from "fast-check";
import { expect, test } from "vitest";
import { headerNameOf, variableName } from "./names.ts";

test.each([
  ["Host", "HTTP_HOST"],
  ["host", "HTTP_HOST"],
  ["User-Agent", "HTTP_USER_AGENT"],
  ["X-3d-4", "HTTP_X_3D_4"],
  ["-", "HTTP__"],
  ["Content-Type", "CONTENT_TYPE"],
  ["content-length", "CONTENT_LENGTH"],
  ["Content-Encoding", "HTTP_CONTENT_ENCODING"],
  ["Content", "HTTP_CONTENT"],
  ["Proxy-Connection", "HTTP_PROXY_CONNECTION"],
])("R-C1: the field %s becomes the variable %s", (name, variable) => {
  expect(variableName(name)).toBe(variable);
  expect(variableName(name)).toBe(variable);
});

test.each(["Proxy", "proxy", "PROXY", "pRoXy"])("R-C2: the field %s becomes no variable", (name) => {
  expect(variableName(name)).toBeNull();
});

test.each([
  "",
  "X_User",
  "X.User",
  "X User",
  "Remote_User",
  "X\u00e9",
  "Content_Type",
  "Proxy_",
  "X-User\n",
  "HTTP_PROXY",
])("R-C3: the field %j, with other chars than letters, digits and -, becomes no variable", (name) => {
  expect(variableName(name)).toBeNull();
});

test("R-C7: Transfer-Encoding becomes no variable", () => {
  expect(variableName("Transfer-Encoding")).toBeNull();
  expect(headerNameOf("HTTP_TRANSFER_ENCODING")).toBeNull();
});

test.each([
  ["HTTP_HOST", "Host"],
  ["HTTP_X_3D_4", "X-3d-4"],
  ["CONTENT_TYPE", "Content-Type"],
  ["CONTENT_LENGTH", "Content-Length"],
  ["HTTP_AUTHORIZATION", "Authorization"],
])("the variable %s stands for the field %s", (variable, name) => {
  expect(headerNameOf(variable)).toBe(name);
});

test.each([
  "HTTP_PROXY",
  "HTTP_",
  "HTTP_X.Y",
  "HTTP_x",
  "HTTP_X Y",
  "HTTPS",
  "SERVER_NAME",
  "HTTP_CONTENT_TYPE",
  "HTTP_CONTENT_LENGTH",
  "",
])("R-C2, R-C3: the variable %j stands for no field", (variable) => {
  expect(headerNameOf(variable)).toBeNull();
});

test("R-C3: two names of one variable differ in case only, whatever the names", () => {
  const names = fc.stringMatching(/^[A-Za-z0-9_. -]{1,4}$/);
  fc.assert(
    fc.property(names, names, (one, two) => {
      const variable = variableName(one);
      if (variable !== null && variable === variableName(two)) expect(one.toLowerCase()).toBe(two.toLowerCase());
      if (variable !== null) expect(headerNameOf(variable)?.toLowerCase()).toBe(one.toLowerCase());
    }),
    { numRuns: 2000 },
  );
});

test("learns a bounded number of names and goes on answering rightly", () => {
  for (let at = 0; at < 3_000; at++) {
    expect(variableName(`X-Junk-${at}`)).toBe(`HTTP_X_JUNK_${at}`);
    expect(headerNameOf(`HTTP_X_JUNK_${at}`)).toBe(`X-Junk-${at}`);
  }
  expect(variableName("proxy")).toBeNull();
  expect(variableName("Host")).toBe("HTTP_HOST");
});
