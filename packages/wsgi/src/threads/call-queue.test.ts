import { testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { CallQueue } from "./call-queue.ts";
import { ThreadCall } from "./thread-call.ts";

const record = { a: 0, b: 0, texts: [], bytes: new Uint8Array(0), isBodyRemote: false };

function call(): ThreadCall {
  return new ThreadCall(testRequest("/"), record, { left: () => {} });
}

test("requests keep their order while any of them leaves, over many times the queue's first seats", () => {
  const queue = new CallQueue();
  const model: ThreadCall[] = [];
  for (let step = 0; step < 2_000; step++) {
    const one = call();
    queue.add(one);
    model.push(one);
    // Grows to some 200, and shrinks again; from the front, the middle and the end.
    const leaving = step % 3 === 0 ? 0 : step < 300 ? 0 : 1 + (step % 2);
    for (let count = 0; count < leaving && model.length > 0; count++) {
      const [gone] = model.splice((step * 7) % model.length, 1) as [ThreadCall];
      queue.delete(gone);
      queue.delete(gone);
    }
    expect([queue.size, queue.first]).toEqual([model.length, model[0] ?? null]);
    if (step % 50 === 0) expect([...queue]).toEqual(model);
  }
  expect([...queue]).toEqual(model);
});

test("deleting a request that was never added, or is in no queue any more, changes nothing", () => {
  const queue = new CallQueue();
  const [one, other] = [call(), call()];
  queue.add(one);
  queue.delete(other);
  expect([queue.size, queue.first]).toEqual([1, one]);
  queue.delete(one);
  expect([queue.size, queue.first, [...queue]]).toEqual([0, null, []]);
});
