import { expect, test } from "vitest";
import { cutsOf } from "./cuts.ts";

test("cuts bytes whole, in two at every place, and byte by byte", () => {
  expect(cutsOf(Uint8Array.of(1, 2, 3))).toEqual([
    [Uint8Array.of(1, 2, 3)],
    [Uint8Array.of(1), Uint8Array.of(2, 3)],
    [Uint8Array.of(1, 2), Uint8Array.of(3)],
    [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)],
  ]);
});
