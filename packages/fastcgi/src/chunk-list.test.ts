import fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkList } from "./chunk-list.ts";

const bytesOf = (length: number, first: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (first + at) & 255);

test("gives back what was put in, in order, whatever is taken in between", () => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 400, max: 5_000 }));
  fc.assert(
    fc.property(fc.array(fc.oneof(sizes, fc.constant(0), fc.constant(-1))), (steps) => {
      const list = new ChunkList();
      const [put, taken]: [number[], number[]] = [[], []];
      for (const step of steps) {
        if (step > 0) {
          const chunk = bytesOf(step, put.length);
          put.push(...chunk);
          list.push(chunk);
        } else if (step === 0) taken.push(...(list.shift() ?? []));
        else for (const chunk of list.takeAll()) taken.push(...chunk);
        expect(list.bytes).toBe(put.length - taken.length);
      }
      for (let chunk = list.shift(); chunk !== undefined; chunk = list.shift()) taken.push(...chunk);
      expect(taken).toEqual(put);
    }),
  );
});

test("R-F7, R-F20: many small chunks become few, and hold nothing of what was read with them", () => {
  const list = new ChunkList();
  const read = new Uint8Array(65_536);
  for (let at = 0; at < 65_536; at += 9) list.push(read.subarray(at, at + 1));
  const chunks = list.takeAll();
  expect(chunks.length).toBeLessThan(5);
  for (const { buffer } of chunks) expect(buffer.byteLength).toBeLessThanOrEqual(4_096);
});

test("what was taken does not change when more comes", () => {
  const list = new ChunkList();
  for (const byte of [1, 2, 3]) list.push(Uint8Array.of(byte));
  const taken = list.shift();
  list.push(Uint8Array.of(4));
  expect([...(taken ?? [])]).toEqual([1, 2, 3]);
  expect([...(list.shift() ?? [])]).toEqual([4]);
});
