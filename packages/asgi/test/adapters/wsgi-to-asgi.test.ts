// wsgiToAsgi: a WSGI app for an ASGI server, on the calling thread and in threads.
import { request, run } from "@gw/core/testing";
import type { WsgiApp } from "@gw/wsgi";
import { describe, expect, onTestFinished, test } from "vitest";
import { wsgiToAsgi } from "../../src/adapters/wsgi-to-asgi.ts";
import { communicator } from "../../src/communicator.ts";
import { fromAsgi } from "../../src/from-asgi.ts";
import { validator } from "../../src/lint/validator.ts";

const file = `${import.meta.dirname}/../../../wsgi/test/threads/apps.mjs`;
const upload: WsgiApp = (environ, startResponse) => {
  const body = environ["wsgi.input"].read();
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [Buffer.from(`${environ.REQUEST_METHOD} ${environ.SCRIPT_NAME}${environ.PATH_INFO} ${body.length}`)];
};

describe.each([
  ["a function", () => wsgiToAsgi(upload), "POST /x 70000"],
  ["a file", () => wsgiToAsgi(`${file}:upload`, { threads: 2 }), "70000"],
])("%s", (_what, app, expected) => {
  test("answers an ASGI server, and keeps the protocol", async () => {
    const running = await run(fromAsgi(validator(app())));
    onTestFinished(() => running.stop());
    const answer = await running.request("/x", { method: "POST", body: new Uint8Array(70_000) });
    expect([answer.status, answer.text()]).toEqual([200, expected]);
  });
});

test("the threads start and stop with the lifespan", async () => {
  const app = wsgiToAsgi(`${file}:default`);
  const life = communicator(app, { type: "lifespan" });
  life.sendInput({ type: "lifespan.startup" });
  expect(await life.receiveOutput()).toEqual({ type: "lifespan.startup.complete" });
  const call = communicator(app, { type: "http", path: "/" });
  call.sendInput({ type: "http.request", body: new Uint8Array(0), more_body: false });
  expect(await call.receiveOutput()).toMatchObject({ type: "http.response.start", status: 200 });
  life.sendInput({ type: "lifespan.shutdown" });
  expect(await life.receiveOutput()).toEqual({ type: "lifespan.shutdown.complete" });
});

test("an error of the app is a 500", async () => {
  const broken: WsgiApp = () => {
    throw new Error("broken");
  };
  expect((await request(fromAsgi(wsgiToAsgi(broken)))).status).toBe(500);
  expect((await request(fromAsgi(wsgiToAsgi(`${file}:site`)), "/throw")).status).toBe(500);
});
