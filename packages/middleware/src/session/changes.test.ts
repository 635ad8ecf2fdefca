import { expect, test } from "vitest";
import { SessionChanges } from "./changes.ts";
import type { JsonValue } from "./json-value.ts";

const base = new Map<string, JsonValue>([
  ["a", 1],
  ["b", 2],
]);
const increment = (before: JsonValue | undefined): JsonValue => ((before as number | undefined) ?? 0) + 1;

test("R-M9: changes touch only their own keys, on whatever state they are made", () => {
  const changes = new SessionChanges();
  changes.set("a", 10);
  changes.delete("b");
  changes.set("c", 3);
  expect([...changes.applyTo(base)]).toEqual([
    ["a", 10],
    ["c", 3],
  ]);
  expect([...changes.applyTo(new Map([["z", 9]]))]).toEqual([
    ["z", 9],
    ["a", 10],
    ["c", 3],
  ]);
  expect(base.get("a")).toBe(1);
});

test("R-M9: an update is made again on the newer value", () => {
  const changes = new SessionChanges();
  changes.update("a", increment, 2);
  changes.update("a", increment, 3);
  expect(changes.applyTo(new Map([["a", 40]])).get("a")).toBe(42);
});

test("an update after a set is part of the set", () => {
  const changes = new SessionChanges();
  changes.set("a", 5);
  changes.update("a", increment, 6);
  expect(changes.applyTo(new Map([["a", 40]])).get("a")).toBe(6);
});

test("clear drops what others saved, too; what is set afterwards stays", () => {
  const changes = new SessionChanges();
  changes.set("x", 1);
  changes.clear();
  changes.set("y", 2);
  expect(changes.isEmpty).toBe(false);
  expect([...changes.applyTo(base)]).toEqual([["y", 2]]);
});
