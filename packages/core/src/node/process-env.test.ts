import { expect, test } from "vitest";
import { parseEnvironmentBlock } from "../environ/env-bytes.ts";
import { mergeEnvironment, processEnvironment } from "./process-env.ts";

const none: ReadonlyMap<string, string> = new Map();

test("keeps bytes that are no UTF-8, which process.env has lost", () => {
  const merged = mergeEnvironment(parseEnvironmentBlock("PATH_INFO=/caf\xe9\0"), { PATH_INFO: "/caf\ufffd" });
  expect([...merged]).toEqual([["PATH_INFO", "/caf\xe9"]]);
});

test("gives text as its UTF-8 bytes, with and without the block of the start", () => {
  const bytes = "\xc3\xa9";
  expect(mergeEnvironment(new Map([["A", bytes]]), { A: "é" }).get("A")).toBe(bytes);
  expect(mergeEnvironment(none, { A: "é" }).get("A")).toBe(bytes);
});

test("follows what process.env has changed, gained and lost since the start", () => {
  const start = parseEnvironmentBlock("A=1\0B=2\0C=3\0");
  const merged = mergeEnvironment(start, { A: "1", B: "changed", D: "new" });
  expect(Object.fromEntries(merged)).toEqual({ A: "1", B: "changed", D: "new" });
});

test("reads this process's environment", () => {
  expect(processEnvironment().get("PATH")).toBe(process.env.PATH);
});
