import { createPermits } from "@gw/core";
import { expect, test } from "vitest";
import { WaitingLine } from "./waiting-line.ts";

const never = new AbortController().signal;

function lineOf(limit: number, maxQueued: number, timeoutMs = 60_000) {
  const permits = createPermits();
  const inside = permits.pool("a", limit);
  const lengths: number[] = [];
  const line = new WaitingLine({
    permits: inside,
    places: permits.pool("a queue", maxQueued),
    timeoutMs,
    onLength: (length) => lengths.push(length),
  });
  return { line, lengths, leave: () => inside.give() };
}

test("R-O10: so many go in at once, so many wait, and the rest is told so at once, without a promise", async () => {
  const { line } = lineOf(2, 3);
  const turns = Array.from({ length: 8 }, () => line.enter(never));
  expect(turns.map((turn) => (turn instanceof Promise ? "waits" : turn))).toEqual([
    ...["in", "in"],
    ...["waits", "waits", "waits"],
    ...["full", "full", "full"],
  ]);
  expect(line.length).toBe(3);
  line.close();
});

test("R-O10: who came first goes first, and a newcomer does not overtake", async () => {
  const { line, leave } = lineOf(1, 3);
  line.enter(never);
  const order: string[] = [];
  const waits = ["a", "b"].map(async (name) => order.push(`${name} ${await line.enter(never)}`));
  leave();
  expect(line.enter(never)).toBeInstanceOf(Promise); // behind b, though nobody has asked b yet
  leave();
  await Promise.all(waits);
  expect(order).toEqual(["a in", "b in"]);
  line.close();
});

test("R-O10: who waits too long is told so, and its place is free again", async () => {
  const { line, lengths } = lineOf(1, 1, 5);
  line.enter(never);
  expect(await line.enter(never)).toBe("late");
  expect(line.length).toBe(0);
  expect(line.enter(never)).toBeInstanceOf(Promise);
  expect(lengths).toEqual([1, 0, 1]);
  line.close();
});

test("a client that leaves while it waits is out of the line at once, and takes no turn", async () => {
  const { line, leave } = lineOf(1, 2);
  line.enter(never);
  const client = new AbortController();
  const left = line.enter(client.signal);
  const next = line.enter(never);
  client.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  expect(line.length).toBe(1);
  leave();
  expect(await next).toBe("in");
  await expect(line.enter(client.signal)).rejects.toThrow("gone"); // one that is gone before it waits
  expect(line.length).toBe(0);
});

test("two lines over the same permits share them, first come, first served in each", async () => {
  const permits = createPermits();
  const inside = permits.pool("a", 1);
  const [one, other] = [1, 2].map(
    () => new WaitingLine({ permits: inside, places: permits.pool("a queue", 9), timeoutMs: 60_000 }),
  ) as [WaitingLine, WaitingLine];
  expect(one.enter(never)).toBe("in");
  const waits = [other.enter(never), one.enter(never)];
  inside.give();
  expect(await Promise.race(waits)).toBe("in");
  inside.give();
  expect(await Promise.all(waits)).toEqual(["in", "in"]);
});
