import { bufferBody, compose, http, layer, mount, readText, text } from "@gw/core";
import { request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { bodyLimit } from "./body-limit.ts";

const echo = http(async (given) => text(await readText(given)));
const post = (body: string | Iterable<Uint8Array>) => ({ method: "POST", body });
const chunks = [new Uint8Array(6), new Uint8Array(6)];

test("R-H7: a longer body fails with 413, announced or not", async () => {
  const app = compose([bodyLimit({ maxBytes: 10 })], echo);
  expect((await request(app, "/", post("0123456789"))).text()).toBe("0123456789");
  expect((await request(app, "/", post("0123456789x"))).status).toBe(413);
  expect((await request(app, "/", post(chunks))).status).toBe(413);
});

test("an app that does not read its body is not disturbed", async () => {
  const app = compose([bodyLimit({ maxBytes: 1 })], () => text("no interest"));
  expect((await request(app, "/", post("long"))).status).toBe(200);
});

test("what is further in may allow more, and the limit may be lifted", async () => {
  const app = compose([bodyLimit({ maxBytes: 1 }), mount("/up", echo, { maxBodyBytes: 100 })], echo);
  expect((await request(app, "/up", post("longer"))).status).toBe(200);
  expect((await request(app, "/", post("longer"))).status).toBe(413);
  const any = compose([bodyLimit({ maxBytes: Number.POSITIVE_INFINITY })], echo);
  expect((await request(any, "/", { ...post("longer"), maxBodyBytes: 1 })).status).toBe(200);
});

test("a body that was read further out is judged at once", async () => {
  const buffered = layer({ name: "buffered", onRequest: (given) => bufferBody(given) });
  const app = compose([buffered, bodyLimit({ maxBytes: 3 })], () => text("inside"));
  expect((await request(app, "/", post("1234"))).status).toBe(413);
  expect((await request(app, "/", post("123"))).status).toBe(200);
  expect((await request(app)).status).toBe(200);
});

test.each([-1, Number.NaN])("%d is no limit", (maxBytes) => {
  expect(() => bodyLimit({ maxBytes })).toThrow(expect.objectContaining({ code: "GW_BODY_LIMIT" }));
});
