import { describe, expect, test } from "vitest";
import { type AllowedNumber, checkNumbers, countFrom, limitMs, timerMs, wholeNumber } from "./numbers.ts";

const refused = (value: unknown, allowed: AllowedNumber): string | null => {
  try {
    checkNumbers({ it: value as number }, { it: allowed }, (message) => new Error(message));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
};

describe("checkNumbers", () => {
  test.each<[string, AllowedNumber, readonly unknown[], readonly unknown[]]>([
    ["limitMs", limitMs, [undefined, 0, 0.5, 1e12, Infinity], [-1, NaN, "5", null]],
    ["timerMs", timerMs, [undefined, 0, 2_147_483_647], [-1, NaN, Infinity, 2_147_483_648]],
    ["countFrom(1)", countFrom(1), [1, 7, Infinity], [0, 1.5, NaN, -Infinity, "1"]],
    ["wholeNumber(0, 3)", wholeNumber(0, 3), [0, 3], [4, -1, 0.5, Infinity, NaN]],
  ])("%s takes what it means and refuses the rest", (_name, allowed, good, bad) => {
    expect(good.map((value) => refused(value, allowed))).toEqual(good.map(() => null));
    for (const value of bad) expect(refused(value, allowed)).toContain(`it is ${allowed.means}, found `);
  });

  test("the error shows what was found", () => {
    expect(refused("ten", countFrom(1))).toBe('it is a whole number from 1 on, or Infinity, found "ten"');
    expect(refused(NaN, limitMs)).toBe("it is milliseconds from 0 on, or Infinity, found NaN");
  });
});
