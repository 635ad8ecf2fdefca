import { accept, compose, http, text } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { expect, test, vi } from "vitest";
import { head } from "./head.ts";

test("the app is asked GET, and the client gets its head", async () => {
  const seen: string[] = [];
  const app = compose([head()], (given) => {
    seen.push(given.method);
    return text("twelve bytes");
  });
  const answer = await request(app, "/", { method: "HEAD" });
  expect(answer.bytes.length).toBe(0);
  expect(answer.headers.get("content-length")).toBe("12");
  expect((await request(app)).text()).toBe("twelve bytes");
  expect((await request(app, "/", { method: "POST" })).status).toBe(200);
  expect(seen).toEqual(["GET", "GET", "POST"]);
});

test("a stream is closed, once and unread; its trailers are not announced", async () => {
  const close = vi.fn();
  const read = vi.fn();
  const app = compose(
    [head()],
    http(() => ({
      ...text("", { headers: { Trailer: "Digest" } }),
      body: {
        *[Symbol.iterator]() {
          read();
          yield new Uint8Array(1);
        },
      },
      trailers: () => null,
      close,
    })),
  );
  const answer = await request(app, "/", { method: "HEAD" });
  expect(answer.headers.has("content-length")).toBe(false);
  expect(answer.headers.has("trailer")).toBe(false);
  expect(close).toHaveBeenCalledTimes(1);
  expect(read).not.toHaveBeenCalled();
});

test("sockets pass", async () => {
  const socket = await openSocket(compose([head()], () => accept(async () => {})));
  expect(socket.response).toBe(null);
  await socket.ended;
});
