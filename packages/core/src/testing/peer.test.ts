import { expect, test } from "vitest";
import { isGatewayError } from "../model/errors.ts";
import { isPromise } from "../pipeline/and-then.ts";
import { socketPair } from "./peer.ts";

test("messages arrive in order and keep whether they were text", async () => {
  const { peer, client } = socketPair();
  client.send("a");
  client.send(Uint8Array.of(7));
  client.close();
  const seen: unknown[] = [];
  for await (const message of peer) seen.push(message.isText ? message.text() : [...message.bytes]);
  expect(seen).toEqual(["a", [7]]);
});

test("send waits when the client does not read, and goes on when it does", async () => {
  const { peer, client } = socketPair({ maxUnread: 1 });
  expect(isPromise(peer.send("1"))).toBe(false);
  let isDone = false;
  const waiting = Promise.resolve(peer.send("2")).then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  expect(await client.receive()).toBe("1");
  await waiting;
  expect(await client.receive()).toBe("2");
});

test("a sender that waits is told when the socket breaks", async () => {
  const { peer, client } = socketPair({ maxUnread: 0 });
  const waiting = peer.send("1");
  client.cut();
  await expect(waiting).rejects.toMatchObject({ code: "GW_WEBSOCKET_CLOSED" });
  expect(await peer.closed).toEqual({ code: 1006, reason: "" });
});

test("sending on a closed socket fails with GW_WEBSOCKET_CLOSED, on both sides", async () => {
  const { peer, client } = socketPair();
  await peer.close(4000, "done");
  await expect(peer.send("x")).rejects.toMatchObject({ code: "GW_WEBSOCKET_CLOSED", status: 499 });
  expect(() => client.send("x")).toThrow(expect.objectContaining({ code: "GW_WEBSOCKET_CLOSED" }));
  await expect(client.receive()).rejects.toSatisfy((error) => isGatewayError(error, "GW_WEBSOCKET_CLOSED"));
  expect(await client.closed).toEqual({ code: 4000, reason: "done" });
});

test("the first close counts", async () => {
  const { peer, client } = socketPair();
  client.close(1001, "away");
  await peer.close(1000);
  expect(await peer.closed).toEqual({ code: 1001, reason: "away" });
});

test("the receiver owns its bytes: a sender may reuse its buffer", async () => {
  const { peer, client } = socketPair();
  const buffer = Uint8Array.of(1);
  peer.send(buffer);
  buffer[0] = 9;
  expect(await client.receive()).toEqual(Uint8Array.of(1));
});
