import { constants, PerformanceObserver } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countPassing, giveBack, lend } from "./passing-bytes.ts";

const CHUNK_BYTES = 65_536;
const MEBIBYTES = 192;

const kinds: number[] = [];
const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) kinds.push((entry as unknown as { detail: { kind: number } }).detail.kind);
});
beforeAll(() => observer.observe({ entryTypes: ["gc"] }));
afterAll(() => observer.disconnect());

test("buffers that pass are freed by collections of the young objects, and nearly none of the whole heap", async () => {
  for (let bytes = 0; bytes < MEBIBYTES * 1_048_576; bytes += CHUNK_BYTES) {
    countPassing(Buffer.allocUnsafeSlow(CHUNK_BYTES).length);
    if (bytes % (64 * CHUNK_BYTES) === 0) await new Promise((done) => setImmediate(done));
  }
  const { NODE_PERFORMANCE_GC_MINOR: minor, NODE_PERFORMANCE_GC_MAJOR: major } = constants;
  await expect.poll(() => kinds.filter((kind) => kind === minor).length).toBeGreaterThanOrEqual(MEBIBYTES / 6 - 2);
  expect(kinds.filter((kind) => kind === major).length).toBeLessThan(3);
});

test("gc is nobody else's", () => {
  expect(globalThis).not.toHaveProperty("gc");
});

describe("memory that was lent", () => {
  const canGiveBack = "transfer" in ArrayBuffer.prototype; // Node 21
  const read = (bytes = CHUNK_BYTES): Uint8Array => new Uint8Array(bytes).fill(7);

  test("is freed with the last chunk of a read", () => {
    const chunk = read();
    const [first, second] = [chunk.subarray(8, 40_000), chunk.subarray(40_008)];
    lend(chunk, first.length + second.length);
    giveBack(second);
    expect(first[0]).toBe(7);
    giveBack(first);
    expect(chunk.length).toBe(canGiveBack ? 0 : CHUNK_BYTES);
  });

  test.each([
    ["a chunk that nobody lent", read(), null],
    ["a small read", read(1_000), 1_000],
    ["a part of a buffer", read().subarray(0, 60_000), 60_000],
  ])("is left to the collector: %s", (_, chunk, lent) => {
    if (lent !== null) lend(chunk, lent);
    giveBack(chunk);
    expect(chunk[0]).toBe(7);
  });

  test("is not asked of the collector again", async () => {
    const before = kinds.length;
    for (let bytes = 0; bytes < 32 * 1_048_576; bytes += CHUNK_BYTES) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      lend(chunk, chunk.length);
      giveBack(chunk);
    }
    await new Promise((done) => setTimeout(done, 50));
    if (canGiveBack) expect(kinds.length - before).toBeLessThan(3);
  });
});
