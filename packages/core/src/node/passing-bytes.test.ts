import { constants, PerformanceObserver } from "node:perf_hooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { countPassing } from "./passing-bytes.ts";

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
