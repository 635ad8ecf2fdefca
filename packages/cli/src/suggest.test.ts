import { expect, test } from "vitest";
import { didYouMean, nearest } from "./suggest.ts";

test("suggests a word that is a slip away, and nothing far-fetched", () => {
  expect(nearest("prot", ["port", "host"])).toBe("port");
  expect(nearest("banana", ["port", "host"])).toBeNull();
  expect(didYouMean("servr", ["serve", "dev"])).toBe(' (did you mean "serve"?)');
  expect(didYouMean("xyzzy", ["serve"])).toBe("");
});
