import { join } from "node:path";
import { type RunningApp, run } from "@gw/core/testing";
import { type ListeningContext, listeningContext } from "@gw-private/listening-context";
import { requires } from "@gw-private/requires";
import { afterEach, expect } from "vitest";
import { pythonAsgi } from "../src/python.ts";

/** Made by `.ci/run`; CONTRIBUTING.md says how by hand. */
const python = join(import.meta.dirname, "../../../node_modules/.cache/python/bin/python");
const withFrameworks = requires(python);
const running: RunningApp[] = [];
const cwd = `${import.meta.dirname}/python`;
const ann = { user: "ann", type: "form", groups: [], claims: {} };

async function serve(name = "fastapi_app:app"): Promise<RunningApp & Pick<ListeningContext, "logged">> {
  const { context, logged } = listeningContext();
  const one = await run(pythonAsgi(name, { cwd, python, workers: 1 }), { context });
  running.push(one);
  return { ...one, logged };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

withFrameworks("FastAPI under a mount: dependencies, lifespan state, links, the user of the gateway", async () => {
  const app = await serve();
  expect((await app.request("/app/", { mount: "/app" })).status).toBe(401);
  expect((await app.request("/app/", { mount: "/app", principal: ann })).json()).toEqual({
    user: "ann",
    url: "http://localhost/app/items/1",
    state: "one",
  });
  expect((await app.request("/app/items/7", { mount: "/app" })).json()).toEqual({ number: 7 });
  expect((await app.request("/app/items/x", { mount: "/app" })).status).toBe(422);
  expect((await app.request("/app/openapi.json", { mount: "/app" })).json()).toMatchObject({
    servers: [{ url: "/app" }],
  });
});

withFrameworks("FastAPI reads models and streams, and streams answers", async () => {
  const app = await serve();
  const headers = { "Content-Type": "application/json" };
  const made = await app.request("/items", { method: "POST", headers, body: '{"name":"café"}' });
  expect(made.json()).toEqual({ name: "café", price: 1 });
  const parts = (async function* () {
    for (let index = 0; index < 20; index++) yield new Uint8Array(50_000);
  })();
  expect((await app.request("/size", { method: "POST", body: parts })).text()).toBe("1000000");
  expect((await app.request("/stream")).text().split("\n").length).toBe(1_001);
});

withFrameworks("FastAPI's background tasks run after the answer, also when the gateway stops", async () => {
  const app = await serve();
  expect((await app.request("/later")).json()).toEqual({ done: [] });
  await expect.poll(async () => (await app.request("/later")).text()).toContain("worked");
  running.length = 0;
  await app.stop();
  await app.logged(/^the app has shut down$/);
});

withFrameworks("FastAPI's errors are answered and logged", async () => {
  const app = await serve();
  const answer = await app.request("/error");
  expect([answer.status, answer.text().includes("secret")]).toEqual([500, false]);
  await app.logged(/RuntimeError: secret of the app/);
});

withFrameworks("FastAPI's WebSockets: messages, subprotocol, refusal, leaving", async () => {
  const app = await serve();
  const socket = await app.openSocket("/app/ws/blue", { mount: "/app", subprotocols: ["chat"] });
  expect(socket.subprotocol).toBe("chat");
  await socket.send("안녕");
  expect(JSON.parse((await socket.receive()) as string)).toEqual({ room: "blue", text: "안녕" });
  await socket.close(4000, "bye");
  await expect.poll(async () => (await app.request("/later")).text()).toContain("left with 4000");
  expect((await app.openSocket("/ws/closed")).response?.status).toBe(403);
});
