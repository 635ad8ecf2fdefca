import { compose, type GatewayRequest, HeaderList, http, json } from "@gw/core";
import { request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type RequestIdOptions, requestId, requestIdOf } from "./request-id.ts";

const show = (given: GatewayRequest) =>
  json({ id: requestIdOf(given), field: given.headers.getAll("x-request-id"), exchange: given.exchange.id });
const appOf = (options?: RequestIdOptions) => compose([requestId(options)], http(show));
const shown = async (options: RequestIdOptions, headers: HeaderList) => {
  const answer = await request(appOf(options), "/", { headers });
  return {
    ...(answer.json() as { id: string; field: string[]; exchange: string }),
    sent: answer.headers.get("x-request-id"),
  };
};
const given = (...values: string[]) => HeaderList.from(values.map((value) => ["x-request-id", value] as const));

test("the app, the client and the log get the same id, whatever the client said", async () => {
  const { id, field, exchange, sent } = await shown({}, given("forged"));
  expect(id).toBe(exchange);
  expect([...field, sent]).toEqual([id, id]);
});

test("a listed front server's id is kept", async () => {
  const { id, field, sent } = await shown({ peers: ["127.0.0.1"] }, given("front-42"));
  expect([id, ...field, sent]).toEqual(["front-42", "front-42", "front-42"]);
});

test.each([[["a b"]], [["x".repeat(129)]], [[""]], [["one", "two"]]])("but not %j", async (values) => {
  const { id, exchange, field } = await shown({ peers: ["127.0.0.1"] }, given(...values));
  expect(id).toBe(exchange);
  expect(field).toEqual([exchange]);
});

test("the answer can go without; without the layer the exchange's id counts", async () => {
  expect((await request(appOf({ answer: false }))).headers.has("x-request-id")).toBe(false);
  const bare = (await request(http(show))).json() as { id: string; exchange: string };
  expect(bare.id).toBe(bare.exchange);
});
