import { isGatewayError } from "@gw/core";
import { expect, test } from "vitest";
import { readCookies } from "./read.ts";
import { type SetCookie, writeSetCookie } from "./write.ts";

const written: [cookie: SetCookie, line: string][] = [
  [{ name: "a", value: "1" }, "a=1; Path=/; HttpOnly; SameSite=Lax"],
  [{ name: "a", value: "" }, "a=; Path=/; HttpOnly; SameSite=Lax"],
  [{ name: "a", value: "ü; ," }, "a=%C3%BC%3B%20%2C; Path=/; HttpOnly; SameSite=Lax"],
  [{ name: "a", value: "b+c/d", encode: "none" }, "a=b+c/d; Path=/; HttpOnly; SameSite=Lax"],
  [
    { name: "a", value: "1", path: "/x", domain: "example.com", maxAge: 60, httpOnly: false, sameSite: "strict" },
    "a=1; Max-Age=60; Domain=example.com; Path=/x; SameSite=Strict",
  ],
  [
    { name: "a", value: "1", expires: new Date(0), secure: true, sameSite: "none", partitioned: true },
    "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; SameSite=None",
  ],
  [{ name: "__Host-a", value: "1" }, "__Host-a=1; Path=/; HttpOnly; Secure; SameSite=Lax"],
  [{ name: "__Secure-a", value: "1", path: "/x" }, "__Secure-a=1; Path=/x; HttpOnly; Secure; SameSite=Lax"],
];

test.each(written)("writes %j", (cookie, line) => {
  expect(writeSetCookie(cookie)).toBe(line);
});

test("what is written is read back", () => {
  const value = 'a b;c,d"e\\f=€\u0001';
  const line = writeSetCookie({ name: "x", value });
  expect(readCookies(line.split(";", 1)[0] as string).get("x")).toBe(value);
});

const refused: [why: string, cookie: SetCookie][] = [
  ["an empty name", { name: "", value: "1" }],
  ["a name with a separator", { name: "a b", value: "1" }],
  ["a name with =", { name: "a=b", value: "1" }],
  ["a name with a line break", { name: "a\r\nSet-Cookie: b", value: "1" }],
  ["a raw value with a semicolon", { name: "a", value: "1; Domain=x", encode: "none" }],
  ["a raw value with a quote", { name: "a", value: '"1"', encode: "none" }],
  ["a raw value outside ASCII", { name: "a", value: "ü", encode: "none" }],
  ["a lone surrogate", { name: "a", value: "\ud800" }],
  ["a path with a semicolon", { name: "a", value: "1", path: "/;Domain=x" }],
  ["a path with a line break", { name: "a", value: "1", path: "/\r\n" }],
  ["a relative path", { name: "a", value: "1", path: "x" }],
  ["a domain with a semicolon", { name: "a", value: "1", domain: "a;b" }],
  ["a fraction of a second", { name: "a", value: "1", maxAge: 1.5 }],
  ["no date", { name: "a", value: "1", expires: new Date(Number.NaN) }],
  ["SameSite=None without Secure", { name: "a", value: "1", sameSite: "none" }],
  ["Partitioned without Secure", { name: "a", value: "1", partitioned: true }],
  ["__Host- without Secure", { name: "__Host-a", value: "1", secure: false }],
  ["__Host- with a path", { name: "__Host-a", value: "1", path: "/x" }],
  ["__Host- with a domain", { name: "__Host-a", value: "1", domain: "example.com" }],
  ["__host- in other case", { name: "__hOsT-a", value: "1", path: "/x" }],
  ["__Secure- without Secure", { name: "__Secure-a", value: "1", secure: false }],
  ["__Http- that scripts can read", { name: "__Http-a", value: "1", httpOnly: false }],
  ["__Host-Http- with a path", { name: "__Host-Http-a", value: "1", path: "/x" }],
];

test.each(refused)("R-M6: refuses %s", (_why, cookie) => {
  expect(() => writeSetCookie(cookie)).toThrow(expect.objectContaining({ code: "GW_COOKIE", status: 500 }));
});

test("R-M6: name and value together have at most 4,096 bytes, counted as they go out", () => {
  expect(writeSetCookie({ name: "ab", value: "x".repeat(4_094) })).toContain("x".repeat(4_094));
  expect(() => writeSetCookie({ name: "ab", value: "x".repeat(4_095) })).toThrow(/4097 bytes/);
  expect(() => writeSetCookie({ name: "ab", value: "ü".repeat(700) })).toThrow(/4202 bytes/);
});

test("the error does not repeat the value", () => {
  try {
    writeSetCookie({ name: "a", value: 'secret"', encode: "none" });
    expect.unreachable();
  } catch (error) {
    expect(isGatewayError(error, "GW_COOKIE")).toBe(true);
    expect(String(error)).not.toContain("secret");
  }
});
