import { describe, expect, test } from "vitest";
import { testRequest } from "../testing/builders.ts";
import { parseUpstreamAddress, upstreamAddressText } from "./address.ts";
import { UpstreamGroup, type UpstreamLease } from "./group.ts";
import { Health } from "./health.ts";
import { mayRetry } from "./retry.ts";
import { WaitQueue } from "./wait-queue.ts";

const never: AbortSignal = new AbortController().signal;

describe("addresses", () => {
  test.each([
    ["127.0.0.1:9000", { host: "127.0.0.1", port: 9000 }],
    ["[::1]:9000", { host: "::1", port: 9000 }],
    ["php-fpm:9000", { host: "php-fpm", port: 9000 }],
    ["unix:/run/app.sock", { path: "/run/app.sock" }],
  ])("reads %s and writes it again", (text, address) => {
    expect(parseUpstreamAddress(text)).toEqual(address);
    expect(upstreamAddressText(address)).toBe(text);
  });

  test.each(["", "9000", "host", "host:0", "host:70000", "unix:", "http://x:80", "a b:1"])("refuses %j", (text) => {
    expect(() => parseUpstreamAddress(text)).toThrow("not the address of an upstream");
  });
});

test("R-F23: an upstream that fails pauses, longer each time, and is back by itself", () => {
  const health = new Health({ pauseMs: [100, 300] });
  health.failed(0);
  expect([health.isUp(99), health.isUp(100)]).toEqual([false, true]);
  health.failed(100);
  expect([health.isUp(299), health.isUp(300)]).toEqual([false, true]);
  health.failed(300);
  health.failed(300);
  expect(health.isUp(600)).toBe(true);
  health.failed(600);
  health.succeeded();
  expect([health.isUp(600), health.failures]).toEqual([true, 0]);
});

describe("a wait queue", () => {
  test("serves in the order of arrival", async () => {
    const queue = new WaitQueue<number>();
    const both = Promise.all([queue.wait(never), queue.wait(never)]);
    expect([queue.serve(1), queue.serve(2), queue.serve(3)]).toEqual([true, true, false]);
    expect(await both).toEqual([1, 2]);
  });

  test("R-F23: too many and too long are 503 with Retry-After", async () => {
    const queue = new WaitQueue<number>({ maxQueued: 1, queueTimeoutMs: 20 });
    const late = queue.wait(never);
    await expect(queue.wait(never)).rejects.toMatchObject({ code: "GW_UPSTREAM_BUSY", status: 503 });
    await expect(late).rejects.toMatchObject({ status: 503, headers: [["Retry-After", "1"]] });
    expect(queue.length).toBe(0);
  });

  test("a client that leaves leaves the queue", async () => {
    const queue = new WaitQueue<number>();
    const left = new AbortController();
    const waiting = queue.wait(left.signal);
    left.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    expect(queue.serve(1)).toBe(false);
  });
});

describe("a group", () => {
  const taken = (group: UpstreamGroup<string>, avoid?: string): UpstreamLease<string> =>
    group.take(never, avoid ?? null) as UpstreamLease<string>;

  test("takes the least busy upstream", () => {
    const group = new UpstreamGroup(["a", "b"]);
    const leases = [taken(group), taken(group), taken(group), taken(group)];
    expect(leases.map(({ upstream }) => upstream).sort()).toEqual(["a", "a", "b", "b"]);
    for (const lease of leases.filter(({ upstream }) => upstream === "b")) lease.release();
    expect([taken(group).upstream, taken(group).upstream]).toEqual(["b", "b"]);
  });

  test("leaves out one that failed until its pause is over, but asks it if there is no other", () => {
    let now = 0;
    const group = new UpstreamGroup(["a", "b"], { now: () => now, pauseMs: [100, 100] });
    const first = taken(group);
    first.failed();
    first.release();
    const other = first.upstream === "a" ? "b" : "a";
    expect([taken(group).upstream, taken(group).upstream]).toEqual([other, other]);
    const second = taken(group);
    second.failed();
    expect(taken(group).upstream).toBe(first.upstream);
    now = 100;
    expect(group.members.map(({ isUp }) => isUp)).toEqual([true, true]);
  });

  test("a retry goes to another upstream where there is one", () => {
    const group = new UpstreamGroup(["a", "b"]);
    expect(taken(group, "a").upstream).toBe("b");
    expect(taken(new UpstreamGroup(["a"]), "a").upstream).toBe("a");
  });

  test("who finds no place waits for one that is given back, or for one that is added", async () => {
    const group = new UpstreamGroup(["a"], { maxConnections: 1 });
    const lease = taken(group);
    const [second, third] = [group.take(never), group.take(never)];
    expect(group.queued).toBe(2);
    lease.release();
    lease.release();
    expect((await second).upstream).toBe("a");
    group.replace(["a", "b"]);
    expect((await third).upstream).toBe("b");
    expect([group.running, group.queued]).toEqual([2, 0]);
  });
});

test("R-F14: only what may be repeated is retried, with a body that can be read again", () => {
  const body = { body: "x" };
  expect(mayRetry(testRequest("/", { method: "GET" }), false)).toBe(true);
  expect(mayRetry(testRequest("/", { method: "POST" }), true)).toBe(false);
  expect(mayRetry(testRequest("/", { method: "PATCH" }), true)).toBe(false);
  expect(mayRetry(testRequest("/", { method: "PUT", ...body }), true)).toBe(true);
});
