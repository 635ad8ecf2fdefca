import { expect, test, vi } from "vitest";
import type { Handler } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import type { Answer } from "../model/response.ts";
import { testRequest, testSocket } from "../testing/builders.ts";
import { isPromise } from "./and-then.ts";
import { text } from "./answers.ts";
import { createContext } from "./context.ts";
import { errorAnswer } from "./error-answer.ts";
import { OpenExchange } from "./exchange.ts";
import { guard } from "./guard.ts";
import { accept } from "./kinds.ts";
import { notesOf } from "./notes.ts";
import { Runtime } from "./runtime.ts";

function logging() {
  const lines: [string, string][] = [];
  const method = (level: string) => (_: object | string, message?: string) => void lines.push([level, message ?? ""]);
  const log = Object.fromEntries(
    ["trace", "debug", "info", "warn", "error", "fatal"].map((level) => [level, method(level)]),
  ) as unknown as Logger;
  Object.assign(log, { child: () => log });
  const exchange = new OpenExchange(new Runtime(() => text(""), { context: createContext({ log }) }));
  return { lines, exchange };
}

test("R-W5: sync throws and rejections become responses; a good answer passes untouched", async () => {
  const good = text("x");
  expect(guard(() => good)(testRequest())).toBe(good);
  const thrown: Handler = () => {
    throw new Error("secret");
  };
  expect(guard(thrown)(testRequest())).toMatchObject({ status: 500 });
  expect(await guard(() => Promise.reject(new GatewayError("GW_X", 404, "gone")))(testRequest())).toMatchObject({
    status: 404,
  });
});

test("the error is noted for outer layers; only our side's faults are logged", () => {
  const { lines, exchange } = logging();
  const error = new GatewayError("GW_X", 404, "gone");
  errorAnswer(error, testRequest("/a", { exchange }));
  expect(notesOf(exchange).error).toBe(error);
  expect(lines).toEqual([]);
  errorAnswer(new Error("secret"), testRequest("/a", { exchange }));
  errorAnswer(new GatewayError("GW_BUSY", 503, "full"), testRequest("/a", { exchange }));
  expect(lines).toEqual([
    ["error", "GET /a: answered 500"],
    ["warn", "GET /a: answered 503"],
  ]);
});

test("failures after the client has left are no errors of the log", () => {
  const { lines, exchange } = logging();
  errorAnswer(new Error("aborted"), testRequest("/a", { exchange, signal: AbortSignal.abort() }));
  expect(lines).toEqual([["debug", "GET /a: answered 500"]]);
});

test("a code's status outside 400 to 599 becomes 500", () => {
  for (const status of [200, 99, 1000, Number.NaN]) {
    expect(errorAnswer(new GatewayError("GW_X", status, "odd"), testRequest()).status).toBe(500);
  }
});

test("a 2xx answer to a socket opening becomes 501 and is closed", () => {
  const close = vi.fn();
  expect(guard(() => ({ ...text("page"), close }))(testSocket())).toMatchObject({ status: 501 });
  expect(close).toHaveBeenCalledTimes(1);
  const refusal = text("no", { status: 403 });
  expect(guard(() => refusal)(testSocket())).toBe(refusal);
});

test("an accepted plain request becomes 500 and is closed", () => {
  const close = vi.fn();
  const answer = guard(() => ({ ...accept(async () => {}), close }))(testRequest());
  expect(answer).toMatchObject({ kind: "response", status: 500 });
  expect(close).toHaveBeenCalledTimes(1);
});

test.each([undefined, null, "text", 5, {}, { status: 200 }])("what is no answer becomes 500: %j", async (value) => {
  const handler = (() => value) as unknown as Handler;
  expect(guard(handler)(testRequest())).toMatchObject({ kind: "response", status: 500 });
  expect(await guard(async () => value as unknown as Answer)(testRequest())).toMatchObject({ status: 500 });
});

test("an answer that fails while it is closed still gives a response", async () => {
  const failing = (how: () => void | Promise<void>) => guard(() => ({ ...text("page"), close: how }))(testSocket());
  expect(
    failing(() => {
      throw new Error("close");
    }),
  ).toMatchObject({ status: 500 });
  const later = failing(() => Promise.reject(new Error("close")));
  expect(isPromise(later)).toBe(true);
  expect(await later).toMatchObject({ status: 500 });
});
