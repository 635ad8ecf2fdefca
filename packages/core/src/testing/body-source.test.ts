import { expect, test } from "vitest";
import { bodySource } from "./body-source.ts";

test("push settles when the reader has come back for more", async () => {
  const source = bodySource();
  const iterator = source.body[Symbol.asyncIterator]();
  let isTaken = false;
  const pushed = source.push(Uint8Array.of(1)).then(() => {
    isTaken = true;
  });
  expect(await iterator.next()).toEqual({ done: false, value: Uint8Array.of(1) });
  expect(isTaken).toBe(false);
  const next = iterator.next();
  await pushed;
  source.end();
  expect(await next).toEqual({ done: true, value: undefined });
});

test("a failing body rejects the read that waits", async () => {
  const source = bodySource();
  const next = source.body[Symbol.asyncIterator]().next();
  source.fail(new Error("broken"));
  await expect(next).rejects.toThrow("broken");
});

test("whenAsked tells that a reader waits; returned that it has stopped", async () => {
  const source = bodySource();
  const iterator = source.body[Symbol.asyncIterator]();
  const asked = source.whenAsked();
  const next = iterator.next();
  await asked;
  await source.whenAsked();
  await iterator.return?.();
  await source.returned;
  expect(source.isReturned).toBe(true);
  expect(await next).toEqual({ done: true, value: undefined });
});
