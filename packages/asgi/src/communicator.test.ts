import { encodeText } from "@gw/core";
import { describe, expect, test } from "vitest";
import type { AsgiApp } from "./app.ts";
import { communicator } from "./communicator.ts";

const echo: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError(`no ${scope.type} here`);
  const event = await receive();
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: event.type === "http.request" ? event.body : encodeText(scope.path) });
};

describe("communicator", () => {
  test("feeds events in and reads events back", async () => {
    const call = communicator(echo, { type: "http", method: "POST" });
    await call.sendInput({ type: "http.request", body: encodeText("Hello"), more_body: false });
    expect(await call.receiveOutput()).toEqual({ type: "http.response.start", status: 200, headers: [] });
    expect(await call.receiveOutput()).toEqual({ type: "http.response.body", body: encodeText("Hello") });
    await call.wait();
  });

  test("fills in what a scope leaves out", async () => {
    let seen: unknown = null;
    const call = communicator(
      async (scope) => {
        seen = scope;
      },
      { type: "websocket", path: "/chat", subprotocols: ["v1"] },
    );
    await call.wait();
    expect(seen).toMatchObject({
      type: "websocket",
      path: "/chat",
      subprotocols: ["v1"],
      scheme: "ws",
      headers: [],
      http_version: "1.1",
    });
  });

  test("receiveNothing says whether the app is silent, and loses no event", async () => {
    const call = communicator(echo, { type: "http" });
    expect(await call.receiveNothing(5)).toBe(true);
    await call.sendInput({ type: "http.disconnect" });
    expect(await call.receiveNothing(1_000)).toBe(false);
    expect((await call.receiveOutput()).type).toBe("http.response.start");
    call.stop();
  });

  test("what the app throws comes out of each of them", async () => {
    const failing: AsgiApp = async () => {
      throw new Error("oops");
    };
    await expect(communicator(failing, { type: "http" }).receiveOutput()).rejects.toThrow("oops");
    await expect(communicator(failing, { type: "http" }).wait()).rejects.toThrow("oops");
    const call = communicator(failing, { type: "lifespan" });
    await call.wait().catch(() => {});
    await expect(call.sendInput({ type: "lifespan.startup" })).rejects.toThrow("oops");
    await expect(call.receiveNothing(1)).rejects.toThrow("oops");
  });

  test("an app that returns without an event, or lets the time pass, is told apart", async () => {
    await expect(communicator(async () => {}, { type: "http" }).receiveOutput()).rejects.toThrow(
      /returned without sending/,
    );
    await expect(communicator(echo, { type: "http" }).receiveOutput(5)).rejects.toThrow(/no event within 5 ms/);
  });

  test("wait stops an app that does not return", async () => {
    let thrown: unknown = null;
    const waiting: AsgiApp = async (_scope, receive) => {
      try {
        await receive();
      } catch (error) {
        thrown = error;
      }
    };
    await communicator(waiting, { type: "http" })
      .wait(5)
      .catch(() => {});
    expect(thrown).toMatchObject({ code: "GW_ASGI_CANCELLED" });
  });

  test("stop lets go of an app that waits", async () => {
    const call = communicator(echo, { type: "http" });
    expect(await call.receiveNothing(1)).toBe(true);
    call.stop();
    await expect(call.wait()).rejects.toMatchObject({ code: "GW_ASGI_CANCELLED" });
  });
});
