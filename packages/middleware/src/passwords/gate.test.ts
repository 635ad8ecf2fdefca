import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

test("lets so many run at once, in order, and refuses when too many wait", async () => {
  const gate = new Gate(2, 2);
  const order: string[] = [];
  const finish: (() => void)[] = [];
  const work = (name: string) =>
    gate.run(() => {
      order.push(name);
      return new Promise<void>((resolve) => finish.push(resolve));
    });
  const all = ["a", "b", "c", "d"].map(work);
  expect(order).toEqual(["a", "b"]);
  await expect(work("e")).rejects.toMatchObject({ code: "GW_PASSWORD_BUSY", status: 503 });
  for (let at = 0; at < 4; at++) {
    finish[at]?.();
    await all[at];
  }
  expect(order).toEqual(["a", "b", "c", "d"]);
  const last = work("f");
  finish[4]?.();
  await last;
});

test("work that fails gives its place back", async () => {
  const gate = new Gate(1, 0);
  await expect(gate.run(async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await gate.run(async () => "yes")).toBe("yes");
});
