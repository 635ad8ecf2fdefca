import { validateHeaderName, validateHeaderValue } from "node:http";
import { expect, test } from "vitest";
import { isFieldValue, isToken, trimBlanks } from "./syntax.ts";

const accepts = (check: () => void): boolean => {
  try {
    check();
    return true;
  } catch {
    return false;
  }
};

test("R-H5: takes for a field name what RFC 9110 §5.6.2 calls a token, char by char", () => {
  for (let code = 0; code < 0x180; code++) {
    const name = `a${String.fromCharCode(code)}b`;
    expect([code, isToken(name)]).toEqual([code, accepts(() => validateHeaderName(name))]);
  }
  expect(isToken("")).toBe(false);
  expect(isToken("A\n")).toBe(false);
});

test("R-H5: takes for a value all bytes but control bytes; tab is legal", () => {
  for (let code = 0; code < 0x180; code++) {
    const value = `a${String.fromCharCode(code)}b`;
    expect([code, isFieldValue(value)]).toEqual([code, accepts(() => validateHeaderValue("X", value))]);
  }
  expect(isFieldValue("")).toBe(true);
  expect(isFieldValue("a\n")).toBe(false);
});

test("drops spaces and tabs around a value, and nothing else", () => {
  expect(["", " ", "\t \t", " a", "a\t", " a \t b ", "\u00a0a\u00a0"].map((text) => trimBlanks(text))).toEqual([
    "",
    "",
    "",
    "a",
    "a",
    "a \t b",
    "\u00a0a\u00a0",
  ]);
  expect(trimBlanks("A: b ", 2)).toBe("b");
});
