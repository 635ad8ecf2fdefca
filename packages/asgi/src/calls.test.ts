import { encodeText, type HttpResponse, isPromise } from "@gw/core";
import { testRequest } from "@gw/core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AsgiApp, Receive, Send } from "./app.ts";
import { Call, Calls } from "./calls.ts";
import { fromAsgi } from "./from-asgi.ts";

class FakeCall extends Call {
  isAway = false;
  cancelled = 0;
  isGone(): boolean {
    return this.isAway;
  }
  cancel(): void {
    this.cancelled++;
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

describe("Calls", () => {
  test("R-W6: cancels a call whose client has been gone for the grace time, and no other", () => {
    const calls = new Calls(1_000);
    const [here, gone] = [new FakeCall(), new FakeCall()];
    calls.add(here);
    calls.add(gone);
    gone.isAway = true;
    vi.advanceTimersByTime(1_000);
    expect(gone.cancelled).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect([here.cancelled, gone.cancelled, calls.count]).toEqual([0, 1, 1]);
  });

  test("runs one timer for all calls, and none when there are no calls", () => {
    const calls = new Calls(1_000);
    expect(vi.getTimerCount()).toBe(0);
    const many = Array.from({ length: 100 }, () => new FakeCall());
    for (const call of many) calls.add(call);
    expect(vi.getTimerCount()).toBe(1);
    for (const call of many) calls.remove(call);
    vi.advanceTimersByTime(2_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("removes calls in any order, and ignores one that is gone already", () => {
    const calls = new Calls(1_000);
    const three = [new FakeCall(), new FakeCall(), new FakeCall()] as const;
    for (const call of three) calls.add(call);
    calls.remove(three[1]);
    calls.remove(three[1]);
    expect(calls.count).toBe(2);
    calls.remove(three[0]);
    calls.remove(three[2]);
    expect(calls.count).toBe(0);
  });

  test("idle settles with the last call, or at the deadline", async () => {
    const calls = new Calls(1_000);
    const call = new FakeCall();
    calls.add(call);
    const deadline = new AbortController();
    let settled = 0;
    const first = calls.idle(new AbortController().signal).then(() => settled++);
    const second = calls.idle(deadline.signal).then(() => settled++);
    deadline.abort();
    await second;
    expect(settled).toBe(1);
    calls.remove(call);
    await first;
    expect(settled).toBe(2);
    await calls.idle(deadline.signal);
  });

  test("cancelAll cancels every call", () => {
    const calls = new Calls(1_000);
    const three = [new FakeCall(), new FakeCall(), new FakeCall()];
    for (const call of three) calls.add(call);
    calls.cancelAll();
    expect([three.map(({ cancelled }) => cancelled), calls.count]).toEqual([[1, 1, 1], 0]);
  });
});

describe("a call that goes on without its client", () => {
  function httpApp(app: (receive: Receive, send: Send) => Promise<void>, graceMs = 1_000) {
    const asgi: AsgiApp = (_scope, receive, send) => app(receive, send);
    return fromAsgi(asgi, { lifespan: "off", graceMs });
  }

  test("R-W6: after the grace time receive and send throw", async () => {
    const client = new AbortController();
    const thrown: unknown[] = [];
    let finish: Promise<void> = Promise.resolve();
    const app = httpApp((receive, send) => {
      finish = (async () => {
        await send({ type: "http.response.start", status: 200, headers: [] });
        const sending = send({ type: "http.response.body", body: encodeText("a"), more_body: true });
        await new Promise((resolve) => setTimeout(resolve, 10_000));
        await sending.catch(() => {});
        for (const act of [receive, () => send({ type: "http.response.body" })])
          await act().catch((error: unknown) => void thrown.push(error));
      })();
      return finish;
    });
    const answer = await app.handle(testRequest("/", { signal: client.signal }));
    expect(answer).toMatchObject({ status: 200 });
    client.abort();
    await vi.advanceTimersByTimeAsync(10_000);
    await finish;
    expect(thrown).toEqual([
      expect.objectContaining({ code: "GW_ASGI_CANCELLED" }),
      expect.objectContaining({ code: "GW_ASGI_CANCELLED" }),
    ]);
  });

  test("R-W6: an answer that never comes is waited for no longer", async () => {
    const client = new AbortController();
    const answer = httpApp(() => new Promise(() => {})).handle(testRequest("/", { signal: client.signal }));
    if (!isPromise(answer)) throw new TypeError("expected a promise");
    const failed = answer.then(
      () => null,
      (error: unknown) => error,
    );
    client.abort();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await failed).toMatchObject({ code: "GW_ASGI_CANCELLED", status: 499 });
  });

  test("R-W6: a receive that waits throws", async () => {
    let thrown: unknown = null;
    const app = httpApp(async (receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [] });
      await send({ type: "http.response.body" });
      for (;;) {
        try {
          await receive();
        } catch (error) {
          thrown = error;
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    const client = new AbortController();
    await app.handle(testRequest("/", { signal: client.signal }));
    client.abort();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(thrown).toMatchObject({ code: "GW_ASGI_CANCELLED" });
  });

  test("stop lets go of what is still running at the deadline", async () => {
    const app = httpApp(() => new Promise(() => {}));
    const answer = app.handle(testRequest("/")) as Promise<HttpResponse>;
    const failed = answer.catch((error: unknown) => error);
    await app.stop?.(AbortSignal.abort());
    expect(await failed).toMatchObject({ code: "GW_ASGI_CANCELLED" });
  });
});
