// serve(): from bind to close, with real sockets.
import { encodeText, type GatewayRequest, HeaderList, type HttpResponse, text } from "@gw/core";
import { expect, test } from "vitest";
import { serve } from "../src/index.ts";

const any = { bind: "127.0.0.1:0" };

test("answers a GET with status, fields, length and body", async () => {
  const server = serve(() => text("hello\n", { headers: { "X-A": "1" } }), any);
  await server.ready;
  const response = await fetch(`${server.url}/x?y=1`);
  expect(response.status).toBe(200);
  expect(response.headers.get("x-a")).toBe("1");
  expect(response.headers.get("content-length")).toBe("6");
  expect(response.headers.get("date")).not.toBeNull();
  expect(await response.text()).toBe("hello\n");
  await server.close();
});

test("gives the app a request as the model says", async () => {
  let seen: GatewayRequest | null = null;
  const server = serve((request) => {
    seen = request;
    return text("");
  }, any);
  await server.ready;
  await fetch(`${server.url}/a%20b/c?d=%20`, { headers: { "X-Thing": "1", "Remote-User": "mallory" } });
  const { port } = server.addresses[0] as { port: number };
  expect(seen).toMatchObject({
    kind: "http",
    method: "GET",
    scheme: "http",
    target: "/a%20b/c?d=%20",
    mount: "",
    path: "/a b/c",
    query: "d=%20",
    protocol: "HTTP/1.1",
    server: { host: "127.0.0.1", port },
    client: { host: "127.0.0.1" },
    tls: null,
    principal: null,
  });
  const { headers } = seen as unknown as GatewayRequest;
  expect(headers.get("x-thing")).toBe("1");
  expect(headers.get("remote-user")).toBeNull();
  await server.close();
});

test("streams a body up and down", async () => {
  const echo = async (request: GatewayRequest): Promise<HttpResponse> => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: request.body,
  });
  const server = serve(echo, any);
  await server.ready;
  const sent = "x".repeat(1_000_000);
  const response = await fetch(server.url, { method: "POST", body: sent });
  expect(await response.text()).toBe(sent);
  await server.close();
});

test("close() finishes the request under way and refuses new connections", async () => {
  let answer = (): void => {};
  let asked = (): void => {};
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = serve(async () => {
    asked();
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return { kind: "response", status: 200, headers: HeaderList.empty, body: encodeText("late") };
  }, any);
  await server.ready;
  const { url } = server;
  const response = fetch(url);
  await wasAsked;
  const closed = server.close();
  answer();
  expect(await (await response).text()).toBe("late");
  await closed;
  await expect(fetch(url)).rejects.toThrow();
});
