import { accept, compose, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { serverTiming, timingsOf } from "./server-timing.ts";

test("tells the time inside, and what the app adds", async () => {
  const app = compose([serverTiming({ name: "gw" })], async (given) => {
    const times = timingsOf(given);
    times.add("db", 12.34567, 'two "queries"');
    expect(times.measure("sum", () => 3)).toBe(3);
    await times.measure("wait", async () => {});
    expect(() => times.measure("bad", () => JSON.parse("{"))).toThrow(SyntaxError);
    return text("x");
  });
  const field = (await request(app)).headers.get("server-timing") ?? "";
  expect(field.replace(/dur=[\d.]+/g, "dur=T")).toBe(
    'db;desc="two \\"queries\\"";dur=T, sum;dur=T, wait;dur=T, bad;dur=T, gw;dur=T',
  );
  expect(field).toContain("dur=12.346");
});

test("when says who gets it; without the layer what is added goes nowhere", async () => {
  const app = compose([serverTiming({ when: ({ path }) => path === "/slow" })], (given) => {
    timingsOf(given).add("a", 1);
    return text(String(timingsOf(given).measure("b", () => "result")));
  });
  expect((await request(app)).headers.has("server-timing")).toBe(false);
  expect((await request(app, "/slow")).text()).toBe("result");
});

test.each(["a b", "", "ü"])("%j is no name", async (name) => {
  const app = compose([serverTiming()], (given) => {
    timingsOf(given).add(name, 1);
    return text("x");
  });
  expect((await request(app)).outcome.error).toMatchObject({ code: "GW_SERVER_TIMING" });
});

test("sockets pass, and no promise is made", async () => {
  const socket = await openSocket(compose([serverTiming()], () => accept(async () => {})));
  expect(socket.response).toBe(null);
  await socket.ended;
  const app = compose([serverTiming()], () => text("x"));
  expect(promisesMadeBy(() => void app.handle(testRequest("/")))).toBe(0);
});
