import fc from "fast-check";
import { expect, test } from "vitest";
import { IdTable } from "./id-table.ts";

test("gives the smallest free id, from 1, and that of a request that has ended again", () => {
  const table = new IdTable<{ name: string }>();
  expect(table.free).toBe(1);
  for (const name of ["a", "b", "c"]) table.set(table.free, { name });
  table.delete(2);
  expect([table.free, table.size]).toEqual([2, 2]);
  expect(table.values()).toEqual([{ name: "a" }, { name: "c" }]);
});

test("knows no id that is not in use: R-F15", () => {
  const table = new IdTable<true>();
  table.set(1, true);
  expect([table.get(0), table.get(1), table.get(2), table.get(65_535)]).toEqual([null, true, null, null]);
  table.delete(65_535);
  expect(table.size).toBe(1);
  expect(table.clear()).toEqual([true]);
  expect([table.get(1), table.size, table.free]).toEqual([null, 0, 1]);
});

test("holds what a Map would hold", () => {
  const step = fc.oneof(fc.record({ id: fc.integer({ min: 1, max: 5 }) }), fc.constant("begin" as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [table, map] = [new IdTable<{ at: number }>(), new Map<number, { at: number }>()];
      for (const [at, one] of steps.entries()) {
        const id = one === "begin" ? table.free : one.id;
        if (one === "begin") {
          expect(map.has(id)).toBe(false);
          const value = { at };
          table.set(id, value);
          map.set(id, value);
        } else {
          table.delete(id);
          map.delete(id);
        }
        expect(table.size).toBe(map.size);
        for (const known of [1, 2, 3, 4, 5]) expect(table.get(known)).toBe(map.get(known) ?? null);
      }
    }),
  );
});
