import { expect, test, vi } from "vitest";
import { bufferBody } from "../body/buffer.ts";
import { readText } from "../body/readers.ts";
import type { Handler } from "../model/app.ts";
import { testRequest } from "../testing/builders.ts";
import { request as send } from "../testing/run.ts";
import { isPromise } from "./and-then.ts";
import { text } from "./answers.ts";
import { cascade } from "./cascade.ts";
import { compose } from "./compose.ts";
import { layer } from "./layer.ts";

const answering =
  (status: number, body = String(status)): Handler =>
  () =>
    text(body, { status });

test("the first app that has an answer wins; those after it are not asked", async () => {
  const later = vi.fn(answering(200, "later"));
  const app = cascade([answering(404), answering(405), answering(200, "mine"), later]);
  expect((await send(app)).text()).toBe("mine");
  expect(later).not.toHaveBeenCalled();
});

test("if none has one, the last answer is sent", async () => {
  expect((await send(cascade([answering(405), answering(404, "last")]))).text()).toBe("last");
});

test("which statuses mean 'not mine' can be told", async () => {
  expect((await send(cascade([answering(403), answering(200)], { statuses: [403] }))).status).toBe(200);
  expect((await send(cascade([answering(404), answering(200)], { statuses: [403] }))).status).toBe(404);
});

test("R-W3: answers passed over are closed, once; the one that is sent, too", async () => {
  const close = vi.fn();
  const first = vi.fn();
  await send(cascade([() => ({ ...text("", { status: 404 }), close: first }), async () => ({ ...text("x"), close })]));
  expect(first).toHaveBeenCalledTimes(1);
  expect(close).toHaveBeenCalledTimes(1);
});

test("what an app throws is its answer, not the next app's turn", async () => {
  const failing: Handler = () => {
    throw new Error("app");
  };
  expect((await send(cascade([failing, answering(200)]))).status).toBe(500);
});

test("an empty cascade is 404; a sync one makes no promise", async () => {
  expect((await send(cascade([]))).status).toBe(404);
  expect(isPromise(cascade([answering(404), answering(200)]).handle(testRequest()))).toBe(false);
});

test("with a replayable body, an app may read it before it passes", async () => {
  const reader =
    (status: number): Handler =>
    async (request) =>
      text(await readText(request), { status });
  const buffered = layer({ name: "buffer", onRequest: (request) => bufferBody(request) });
  const app = compose([buffered], cascade([reader(404), reader(200)]));
  expect((await send(app, "/", { method: "POST", body: "abc" })).text()).toBe("abc");
});
