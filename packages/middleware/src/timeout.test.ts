import { type Answer, accept, compose, type GatewayRequest, text } from "@gw/core";
import { openSocket, request, run, testRequest } from "@gw/core/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { timeout } from "./timeout.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("an app that is too slow: 504 for the client, its signal fires, its late answer is closed", async () => {
  const close = vi.fn();
  let late: (answer: Answer) => void = () => {};
  let signal: AbortSignal | null = null;
  const app = compose([timeout({ ms: 500 })], (given) => {
    signal = given.signal;
    return new Promise((resolve) => {
      late = resolve;
    });
  });
  const running = await run(app);
  const pending = running.request();
  await vi.advanceTimersByTimeAsync(499);
  expect((signal as unknown as AbortSignal).aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  const answer = await pending;
  expect(answer.status).toBe(504);
  expect((signal as unknown as AbortSignal).reason).toMatchObject({ name: "TimeoutError" });
  late({ ...text("late"), close });
  await vi.waitFor(() => expect(close).toHaveBeenCalledTimes(1));
  await running.stop();
});

test("an app that fails after the 504 disturbs nobody", async () => {
  const app = compose([timeout({ ms: 5 })], ({ signal }) => {
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
  });
  const pending = request(app);
  await vi.advanceTimersByTimeAsync(5);
  expect((await pending).status).toBe(504);
});

test("answers and errors in time pass, and no timer is left", async () => {
  const slow = compose([timeout({ ms: 500 })], async () => text("in time"));
  expect((await request(slow)).text()).toBe("in time");
  const failing = compose([timeout({ ms: 500 })], async () => {
    throw new Error("no");
  });
  expect((await request(failing)).status).toBe(500);
  expect(vi.getTimerCount()).toBe(0);
});

test("the signal still fires when the client leaves, also while the body is sent", async () => {
  const client = new AbortController();
  let seen: GatewayRequest | null = null;
  const app = compose([timeout({ ms: 500 })], async (given) => {
    seen = given;
    return text("x");
  });
  await request(app, "/", { signal: client.signal });
  client.abort(new Error("gone"));
  expect((seen as unknown as GatewayRequest).signal.reason).toMatchObject({ message: "gone" });
  const already = compose([timeout({ ms: 500 })], ({ signal }) => text(String(signal.aborted)));
  const answer = already.handle(testRequest("/", { signal: client.signal }));
  expect(answer).toMatchObject({ body: new TextEncoder().encode("true") });
});

test("a sync app makes no promise; a slow opening gets 504, an accepted socket lives on", async () => {
  const app = compose([timeout({ ms: 10 })], () => text("x"));
  expect(promisesMadeBy(() => void app.handle(testRequest("/")))).toBe(0);
  const never = compose([timeout({ ms: 10 })], () => new Promise<Answer>(() => {}));
  const opening = openSocket(never);
  await vi.advanceTimersByTimeAsync(10);
  expect((await opening).response?.status).toBe(504);
  const quick = compose([timeout({ ms: 10 })], async () => accept(async () => {}));
  const socket = await openSocket(quick);
  expect(socket.response).toBe(null);
  await socket.ended;
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("%d is no time", (ms) => {
  expect(() => timeout({ ms })).toThrow(expect.objectContaining({ code: "GW_TIMEOUT" }));
});
