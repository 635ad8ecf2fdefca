import { type Address, accept, compose, text } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type IpRestrictionOptions, ipRestriction } from "./ip-restriction.ts";

const appOf = (options: IpRestrictionOptions) =>
  compose([ipRestriction(options)], (given) => (given.kind === "websocket" ? accept(async () => {}) : text("inside")));
const at = (host: string): Address => ({ host, port: 1 });

test.each<[IpRestrictionOptions, Address | null, number]>([
  [{ allow: ["10.0.0.0/8"] }, at("10.1.2.3"), 200],
  [{ allow: ["10.0.0.0/8"] }, at("::ffff:10.1.2.3"), 200],
  [{ allow: ["10.0.0.0/8"] }, at("11.0.0.1"), 403],
  [{ allow: ["2001:db8::/32"] }, at("2001:db8:1::1"), 200],
  [{ allow: ["10.0.0.0/8"], deny: ["10.0.0.13"] }, at("10.0.0.13"), 403],
  [{ deny: ["192.0.2.0/24"] }, at("192.0.2.9"), 403],
  [{ deny: ["192.0.2.0/24"] }, at("198.51.100.1"), 200],
  [{ deny: ["192.0.2.0/24"] }, null, 403],
  [{ allow: ["unix"] }, { path: "" }, 200],
  [{ allow: ["127.0.0.1"] }, { path: "" }, 403],
])("%j: %j → %i", async (options, client, status) => {
  expect((await request(appOf(options), "/", { client })).status).toBe(status);
});

test("sockets are refused alike; a malformed entry stops the start", async () => {
  expect((await openSocket(appOf({ deny: ["127.0.0.1"] }))).response?.status).toBe(403);
  expect(() => ipRestriction({ allow: ["somewhere"] })).toThrow(expect.objectContaining({ code: "GW_PEER_LIST" }));
});
