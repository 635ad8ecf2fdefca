import { expect, test } from "vitest";
import { mergeEnvironment, processEnvironment } from "./process-env.ts";

const block = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

test("keeps bytes that are no UTF-8, which process.env has lost", () => {
  const merged = mergeEnvironment(block("PATH_INFO=/caf\xe9\0"), { PATH_INFO: "/caf\ufffd" });
  expect([...merged]).toEqual([["PATH_INFO", "/caf\xe9"]]);
});

test("gives text as its UTF-8 bytes, with and without the raw block", () => {
  const bytes = "\xc3\xa9";
  expect(mergeEnvironment(block(`A=${bytes}\0`), { A: "é" }).get("A")).toBe(bytes);
  expect(mergeEnvironment(null, { A: "é" }).get("A")).toBe(bytes);
});

test("follows what process.env has changed, gained and lost since the start", () => {
  const merged = mergeEnvironment(block("A=1\0B=2\0C=3\0"), { A: "1", B: "changed", D: "new" });
  expect(Object.fromEntries(merged)).toEqual({ A: "1", B: "changed", D: "new" });
});

test("splits at the first equals sign, skips entries without one, and takes the first of a repeated name", () => {
  const merged = mergeEnvironment(block("A=1=2\0\0broken\0=x\0A=3\0LAST=4"), { A: "1=2", LAST: "4" });
  expect(Object.fromEntries(merged)).toEqual({ A: "1=2", LAST: "4" });
});

test("reads this process's environment", () => {
  expect(processEnvironment().get("PATH")).toBe(process.env.PATH);
});
