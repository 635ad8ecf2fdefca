import { expect, test, vi } from "vitest";
import type { Handler } from "../model/app.ts";
import type { Logger } from "../model/log.ts";
import { silentLogger } from "../model/log.ts";
import { testRequest } from "../testing/builders.ts";
import { request as send } from "../testing/run.ts";
import { afterResponse } from "./after-response.ts";
import { text } from "./answers.ts";
import { createContext } from "./context.ts";
import { OpenExchange } from "./exchange.ts";
import { Runtime } from "./runtime.ts";

const ended = { status: 200, bytesSent: 0, result: "sent", error: null } as const;

test("refuses what is no app when it is made, naming what was found", () => {
  const notApp = { fetch: () => {}, port: 3 } as unknown as Handler;
  expect(() => new Runtime(notApp, { context: createContext() })).toThrow("an object with the keys fetch, port");
});

test("stop waits for what the exchanges left behind, then stops the app", async () => {
  const seen: string[] = [];
  const runtime = new Runtime(
    { handle: () => text(""), stop: () => void seen.push("stop") },
    { context: createContext() },
  );
  await runtime.start();
  const exchange = new OpenExchange(runtime);
  let finish: () => void = () => {};
  exchange.onEnd(
    () =>
      new Promise<void>((resolve) => {
        finish = () => {
          seen.push("task");
          resolve();
        };
      }),
  );
  exchange.end(ended);
  const stopping = runtime.stop(AbortSignal.timeout(5_000));
  finish();
  await stopping;
  expect(seen).toEqual(["task", "stop"]);
});

test("stop waits no longer than its deadline", async () => {
  const stop = vi.fn();
  const runtime = new Runtime({ handle: () => text(""), stop }, { context: createContext() });
  await runtime.start();
  runtime.track(new Promise(() => {}));
  const deadline = new AbortController();
  const stopping = runtime.stop(deadline.signal);
  deadline.abort();
  await stopping;
  expect(stop).toHaveBeenCalledTimes(1);
});

test("work that fails is waited for and breaks nothing", async () => {
  const runtime = new Runtime(() => text(""), { context: createContext() });
  runtime.track(Promise.reject(new Error("lost")));
  await runtime.stop(AbortSignal.timeout(5_000));
});

test("end listeners run once, with the outcome; a late one runs at once", () => {
  const exchange = new OpenExchange(new Runtime(() => text(""), { context: createContext() }));
  const early = vi.fn();
  const late = vi.fn();
  exchange.onEnd(early);
  exchange.end(ended);
  exchange.end({ ...ended, status: 500 });
  exchange.onEnd(late);
  expect(early.mock.calls).toEqual([[ended]]);
  expect(late.mock.calls).toEqual([[ended]]);
});

test("afterResponse runs the task with the outcome; its errors are logged, sync and async, and hide no other task", async () => {
  const error = vi.fn();
  const log: Logger = { ...silentLogger, error, child: () => ({ ...silentLogger, error }) as Logger };
  const done: number[] = [];
  const answer = await send(
    (request) => {
      afterResponse(request, () => {
        throw new Error("sync");
      });
      afterResponse(request, () => Promise.reject(new Error("async")));
      afterResponse(request, ({ status }) => void done.push(status));
      return text("ok");
    },
    "/",
    { context: createContext({ log }) },
  );
  expect(answer.text()).toBe("ok");
  expect(done).toEqual([200]);
  expect(error.mock.calls.map(([facts]) => (facts as { err: Error }).err.message)).toEqual(["sync", "async"]);
});

test("an exchange has one id, made on first use, and a logger that names it", () => {
  const child = vi.fn(() => silentLogger);
  const runtime = new Runtime(() => text(""), { context: createContext({ log: { ...silentLogger, child } }) });
  const exchange = new OpenExchange(runtime);
  expect(child).not.toHaveBeenCalled();
  expect(exchange.id).toBe(exchange.id);
  void exchange.log;
  void exchange.log;
  expect(child.mock.calls).toEqual([[{ requestId: exchange.id }]]);
  expect(new OpenExchange(runtime, "given").id).toBe("given");
});

test("R-C8: dispatch runs the whole gateway again, at most 10 deep, then 502", async () => {
  let runs = 0;
  const loop: Handler = (request) => {
    runs++;
    return request.exchange.dispatch({ ...request, kind: "http", path: "/again" });
  };
  const answer = await send(loop, "/");
  expect(answer.status).toBe(502);
  expect((answer.outcome.error as { code: string }).code).toBe("GW_DISPATCH_DEPTH");
  expect(runs).toBe(11);
});

test("the body limit of an exchange starts as the carrier's", () => {
  const runtime = new Runtime(() => text(""), { context: createContext(), maxBodyBytes: 5 });
  expect(new OpenExchange(runtime).maxBodyBytes).toBe(5);
  expect(testRequest().exchange.maxBodyBytes).toBe(10_000_000);
});
