import { isGatewayError } from "@gw/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Release, Slots } from "./slots.ts";

const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a free slot is given at once, without a promise", () => {
  const slots = new Slots({ maxProcesses: 1 });
  expect(slots.take(never)).toBeTypeOf("function");
  expect(slots.running).toBe(1);
});

test("R-C21: waiting requests get their slots in the order they came", async () => {
  const slots = new Slots({ maxProcesses: 1 });
  const first = slots.take(never) as Release;
  const order: string[] = [];
  const take = async (name: string): Promise<Release> => {
    const release = await slots.take(never);
    order.push(name);
    return release;
  };
  const second = take("second");
  const third = take("third");
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(["second", "third"]);
  expect(slots.running).toBe(0);
});

test("R-C21: beyond the queue a request is refused with 503 and Retry-After", async () => {
  const slots = new Slots({ maxProcesses: 1, maxQueued: 0 });
  slots.take(never);
  const refusal = await Promise.resolve(slots.take(never)).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "GW_CGI_BUSY", status: 503 });
  expect(isGatewayError(refusal) && [...(refusal.headers ?? [])]).toEqual([["Retry-After", "5"]]);
});

test("R-C21: a request that waited too long is refused with 503 and leaves the queue", async () => {
  const slots = new Slots({ maxProcesses: 1, queueTimeoutMs: 100 });
  slots.take(never);
  const waiting = Promise.resolve(slots.take(never)).catch((error: unknown) => error);
  vi.advanceTimersByTime(100);
  expect(await waiting).toMatchObject({ code: "GW_CGI_BUSY", status: 503 });
  expect(slots.queued).toBe(0);
});

test("a client that leaves gives up its place in the queue", async () => {
  const slots = new Slots({ maxProcesses: 1 });
  slots.take(never);
  const client = new AbortController();
  const waiting = Promise.resolve(slots.take(client.signal)).catch((error: unknown) => error);
  client.abort();
  expect(await waiting).toMatchObject({ code: "GW_CGI_GONE" });
  expect(slots.queued).toBe(0);
});

test("a slot that is given back twice counts once", () => {
  const slots = new Slots({ maxProcesses: 2 });
  const release = slots.take(never) as Release;
  slots.take(never);
  release();
  release();
  expect(slots.running).toBe(1);
});
