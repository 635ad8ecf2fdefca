import { testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { CallPlaces } from "./call-places.ts";
import { MAX_PLACES, placeOf, STATE, stateMemory } from "./protocol.ts";
import { ThreadCall } from "./thread-call.ts";

const record = { a: 0, b: 0, texts: [], bytes: new Uint8Array(0), isBodyRemote: false };

function call(): ThreadCall {
  const one = new ThreadCall(testRequest("/"), record, { left: () => {} });
  one.answer.catch(() => {});
  return one;
}

function places(): { state: Int32Array; calls: CallPlaces } {
  const state = new Int32Array(stateMemory());
  return { state, calls: new CallPlaces(state) };
}

/** What the thread does when it begins a request. */
function begin(state: Int32Array, id: number): void {
  Atomics.store(state, STATE.PLACES + placeOf(id), 0);
}

test("a thread has as many requests as it has places, and a place is free again when its request is done", () => {
  const { calls } = places();
  const all = Array.from({ length: MAX_PLACES }, call);
  expect(all.every((one) => calls.take(one))).toBe(true);
  expect(calls.take(call())).toBe(false);
  const [first] = all as [ThreadCall];
  calls.drop(first);
  expect(calls.get(first.id)).toBeUndefined();
  const next = call();
  expect(calls.take(next)).toBe(true);
  expect([placeOf(next.id), next.id === first.id]).toEqual([placeOf(first.id), false]);
  expect([calls.get(next.id), calls.busy, calls.size]).toEqual([next, MAX_PLACES, MAX_PLACES]);
});

test("what is said of a request that has left its place does not reach the one that has it now", () => {
  const { calls } = places();
  const [old, now] = [call(), call()];
  calls.take(old);
  calls.drop(old);
  calls.take(now);
  expect([calls.get(old.id), calls.get(now.id)]).toEqual([undefined, now]);
  calls.drop(old);
  expect(calls.get(now.id)).toBe(now);
});

test("only what the thread has not begun is taken back", () => {
  const { state, calls } = places();
  const [begun, waiting] = [call(), call()];
  for (const one of [begun, waiting]) calls.take(one);
  begin(state, begun.id);
  expect([calls.waiting(), calls.begun()]).toEqual([[waiting], [begun]]);
  expect([calls.takeBack(begun), calls.takeBack(waiting), calls.takeBack(waiting)]).toEqual([false, true, false]);
  expect(calls.size).toBe(1);
});

test("walked answers need no place, however many there are", () => {
  const { state, calls } = places();
  const streams = Array.from({ length: MAX_PLACES + 1 }, call);
  for (const one of streams) {
    expect(calls.take(one)).toBe(true);
    begin(state, one.id);
    calls.stream(one);
  }
  expect([calls.busy, calls.streams, calls.begun().length]).toEqual([0, MAX_PLACES + 1, MAX_PLACES + 1]);
  expect(streams.every((one) => calls.get(one.id) === one)).toBe(true);
  for (const one of streams) calls.drop(one);
  expect(calls.size).toBe(0);
});
