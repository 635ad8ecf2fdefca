import { createContext, encodeText, type LogMethod, silentLogger } from "@gw/core";
import { request, run } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import type { AsgiApp } from "./app.ts";
import type { SendEvent } from "./events.ts";
import { fromAsgi } from "./from-asgi.ts";

/** An app with a lifespan that does what it is told, and answers with its state. */
function withLife(onStart: () => SendEvent, onStop: () => SendEvent = () => ({ type: "lifespan.shutdown.complete" })) {
  const seen: string[] = [];
  const app: AsgiApp = async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      seen.push((await receive()).type);
      scope.state.connection = "open";
      await send(onStart());
      seen.push((await receive()).type);
      await send(onStop());
      return;
    }
    await send({ type: "http.response.start", status: 200, headers: [] });
    await send({ type: "http.response.body", body: encodeText(JSON.stringify(scope.state)) });
  };
  return { app, seen };
}

const complete = (): SendEvent => ({ type: "lifespan.startup.complete" });

describe("lifespan", () => {
  test("R-W8: startup runs before the first request, shutdown after the last, once each", async () => {
    const { app, seen } = withLife(complete);
    const running = await run(fromAsgi(app));
    expect(seen).toEqual(["lifespan.startup"]);
    await running.request();
    await running.stop();
    expect(seen).toEqual(["lifespan.startup", "lifespan.shutdown"]);
  });

  test("each request gets a shallow copy of the state", async () => {
    const { app } = withLife(complete);
    const changing: AsgiApp = async (scope, receive, send) => {
      await app(scope, receive, send);
      if (scope.type === "http") scope.state.connection = "changed";
    };
    const running = await run(fromAsgi(changing));
    expect((await running.request()).json()).toEqual({ connection: "open" });
    expect((await running.request()).json()).toEqual({ connection: "open" });
    await running.stop();
  });

  test("R-W8: a failed startup stops the gateway with the app's message", async () => {
    const { app } = withLife(() => ({ type: "lifespan.startup.failed", message: "no database" }));
    await expect(run(fromAsgi(app))).rejects.toMatchObject({
      code: "GW_ASGI_LIFESPAN",
      message: expect.stringContaining("no database"),
    });
  });

  test("R-W8: a failed shutdown is reported with the app's message", async () => {
    const { app } = withLife(complete, () => ({ type: "lifespan.shutdown.failed", message: "lost writes" }));
    const running = await run(fromAsgi(app));
    await expect(running.stop()).rejects.toMatchObject({
      code: "GW_ASGI_LIFESPAN",
      message: expect.stringContaining("lost writes"),
    });
  });

  test.each<[string, AsgiApp]>([
    ["throws at a lifespan scope", async (scope, _receive, send) => httpOnly(scope.type, send)],
    ["sends a response whatever the scope", async (_scope, _receive, send) => hello(send)],
    ["returns at once", async (scope, _receive, send) => (scope.type === "lifespan" ? undefined : hello(send))],
  ])("R-W8: auto: an app that %s works without lifespan", async (_, app) => {
    expect((await request(fromAsgi(app))).text()).toBe("hello");
  });

  test("on: an app that takes no part stops the gateway, with its error as the cause", async () => {
    const oops = new Error("only http here");
    const app: AsgiApp = async () => {
      throw oops;
    };
    await expect(run(fromAsgi(app, { lifespan: "on" }))).rejects.toMatchObject({
      code: "GW_ASGI_LIFESPAN",
      cause: oops,
    });
  });

  test("off: the app is not called for its life", async () => {
    const scopes: string[] = [];
    const app: AsgiApp = async (scope, _receive, send) => {
      scopes.push(scope.type);
      await hello(send);
    };
    await request(fromAsgi(app, { lifespan: "off" }));
    expect(scopes).toEqual(["http"]);
  });

  test("a startup that hangs fails when its time is over", async () => {
    const app: AsgiApp = () => new Promise(() => {});
    await expect(run(fromAsgi(app, { startupTimeoutMs: 5 }))).rejects.toMatchObject({ code: "GW_ASGI_LIFESPAN" });
  });

  test("a shutdown that hangs fails at the deadline", async () => {
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type !== "lifespan") return hello(send);
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await new Promise(() => {});
    };
    const running = await run(fromAsgi(app));
    await expect(running.stop(AbortSignal.abort())).rejects.toMatchObject({ code: "GW_ASGI_LIFESPAN" });
  });

  test("an app whose lifespan ended early is served on, and its error is logged", async () => {
    const logged: unknown[] = [];
    const error: LogMethod = (facts: object | string) => void logged.push((facts as { err?: Error }).err?.message);
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type !== "lifespan") return hello(send);
      await receive();
      await send({ type: "lifespan.startup.complete" });
      throw new Error("died later");
    };
    const log = { ...silentLogger, error };
    const running = await run(fromAsgi(app), { context: createContext({ log }) });
    await vi.waitFor(() => expect(logged).toEqual(["died later"]));
    expect((await running.request()).text()).toBe("hello");
    await running.stop();
  });

  test.each<[string, SendEvent]>([
    ["lifespan.startup.complete", { type: "lifespan.startup.complete" }],
    ["lifespan.startup.failed", { type: "lifespan.startup.failed" }],
    ["lifespan.shutdown.complete", { type: "lifespan.shutdown.complete" }],
    ["lifespan.shutdown.failed", { type: "lifespan.shutdown.failed" }],
  ])("%s may not be sent while the app is running", async (_, event) => {
    let thrown: unknown = null;
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type !== "lifespan") return hello(send);
      await receive();
      await send({ type: "lifespan.startup.complete" });
      thrown = await send(event).catch((error: unknown) => error);
    };
    const running = await run(fromAsgi(app));
    await vi.waitFor(() => expect(thrown).toMatchObject({ code: "GW_ASGI_ORDER" }));
    await running.stop();
  });

  test("an app can be started again after it was stopped, with a state of its own", async () => {
    const { app, seen } = withLife(complete);
    const asgi = fromAsgi(app);
    await request(asgi);
    await request(asgi);
    expect(seen).toEqual(["lifespan.startup", "lifespan.shutdown", "lifespan.startup", "lifespan.shutdown"]);
  });

  test("stop waits for work that goes on after the answer, then shuts the app down", async () => {
    const order: string[] = [];
    let finish = (): void => {};
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type === "lifespan") {
        await receive();
        await send({ type: "lifespan.startup.complete" });
        await receive();
        order.push("shutdown");
        await send({ type: "lifespan.shutdown.complete" });
        return;
      }
      await hello(send);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push("work done");
    };
    const running = await run(fromAsgi(app));
    await running.request();
    const stopping = running.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    finish();
    await stopping;
    expect(order).toEqual(["work done", "shutdown"]);
  });
});

async function hello(send: (event: SendEvent) => Promise<void>): Promise<void> {
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: encodeText("hello") });
}

async function httpOnly(type: string, send: (event: SendEvent) => Promise<void>): Promise<void> {
  if (type !== "http") throw new TypeError(`unknown scope ${type}`);
  await hello(send);
}
