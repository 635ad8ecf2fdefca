import { expect, test } from "vitest";
import { StreamTable } from "./stream-table.ts";

test("streams are found by their numbers while many come and go, and a few stay", () => {
  const table = new StreamTable<string>();
  const model = new Map<number, string>();
  const given = new Set<number>();
  for (let step = 0; step < 5_000; step++) {
    const id = table.nextId();
    expect(given.has(id)).toBe(false);
    given.add(id);
    table.set(id, `stream ${step}`);
    model.set(id, `stream ${step}`);
    // Up to some hundred at a time; every seventh stays for long.
    for (const old of [...model.keys()].slice(0, step % 150 === 149 ? 120 : 0)) {
      if (old % 7 === 0 && step < 4_000) continue;
      expect([table.delete(old), table.delete(old), table.get(old)]).toEqual([true, false, undefined]);
      model.delete(old);
    }
    expect(table.size).toBe(model.size);
  }
  for (const [id, stream] of model) expect(table.get(id)).toBe(stream);
  expect(new Map(table)).toEqual(model);
  table.clear();
  expect([table.size, [...table], table.get([...model.keys()][0] as number)]).toEqual([0, [], undefined]);
});
