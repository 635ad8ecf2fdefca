import { expect, test } from "vitest";
import { oneAtATime } from "./one-at-a-time.ts";

test("runs one after the other; several askers meanwhile share the next run", async () => {
  let running = 0;
  let runs = 0;
  const ask = oneAtATime(async () => {
    expect(++running).toBe(1);
    const run = ++runs;
    await new Promise((done) => setImmediate(done));
    running--;
    if (run === 1) throw new Error("first");
    return run;
  });
  const [first, second, third] = await Promise.allSettled([ask(), ask(), ask()]);
  expect(first).toMatchObject({ status: "rejected" });
  expect([second, third]).toMatchObject([{ value: 2 }, { value: 2 }]);
  expect(await ask()).toBe(3);
});
