import { expect, test, vi } from "vitest";
import type { App, Lifecycle } from "../model/app.ts";
import { text } from "./answers.ts";
import { compose } from "./compose.ts";
import { createContext } from "./context.ts";
import { every } from "./every.ts";
import { gateway } from "./gateway.ts";
import { layer } from "./layer.ts";
import { lifecycleOf, startOnce, stopOnce } from "./lifecycle.ts";
import { when } from "./when.ts";

const context = createContext();
const soon = (): AbortSignal => AbortSignal.timeout(5_000);

function recorder() {
  const seen: string[] = [];
  const part = (
    name: string,
    fails?: "start" | "stop" | "reload",
  ): Required<Pick<Lifecycle, "start" | "stop" | "reload">> => {
    const step = (what: "start" | "stop" | "reload") => async () => {
      await Promise.resolve();
      seen.push(`${what} ${name}`);
      if (fails === what) throw new Error(`${what} ${name}`);
    };
    return { start: step("start"), stop: step("stop"), reload: step("reload") };
  };
  return { seen, part };
}

test("parts start in order, one after the other, and stop in reverse", async () => {
  const { seen, part } = recorder();
  const life = lifecycleOf([part("a"), part("b"), part("c")]);
  await life.start(context);
  await life.stop(soon());
  expect(seen).toEqual(["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
});

test("when a part fails to start, those before it are stopped in reverse and the first error is thrown", async () => {
  const { seen, part } = recorder();
  const life = lifecycleOf([part("a"), part("b", "stop"), part("c", "start"), part("d")]);
  await expect(life.start(context)).rejects.toThrow("start c");
  expect(seen).toEqual(["start a", "start b", "start c", "stop b", "stop a"]);
});

test("a part that fails to stop keeps no other from stopping; the first error is thrown", async () => {
  const { seen, part } = recorder();
  const life = lifecycleOf([part("a"), part("b", "stop"), part("c")]);
  await life.start(context);
  await expect(life.stop(soon())).rejects.toThrow("stop b");
  expect(seen.slice(3)).toEqual(["stop c", "stop b", "stop a"]);
});

test("a part that sits in two places starts once and stops with its last user", async () => {
  const { seen, part } = recorder();
  const shared = part("store");
  const one = lifecycleOf([shared, part("a")]);
  const two = lifecycleOf([shared, part("b")]);
  await one.start(context);
  await two.start(context);
  await one.stop(soon());
  expect(seen).toEqual(["start store", "start a", "start b", "stop a"]);
  await two.stop(soon());
  expect(seen.slice(4)).toEqual(["stop b", "stop store"]);
});

test("a second user waits until the first start is done, and fails with it", async () => {
  let fail: (error: Error) => void = () => {};
  const part: Lifecycle = {
    start: () =>
      new Promise<void>((_, reject) => {
        fail = reject;
      }),
  };
  const both = Promise.allSettled([startOnce(part, context), startOnce(part, context)]);
  await Promise.resolve();
  fail(new Error("down"));
  expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("a part can start again after it has stopped, and after it has failed to start", async () => {
  const start = vi.fn().mockRejectedValueOnce(new Error("down")).mockResolvedValue(undefined);
  const part: Lifecycle = { start };
  await expect(startOnce(part, context)).rejects.toThrow("down");
  await startOnce(part, context);
  await stopOnce(part, soon());
  await startOnce(part, context);
  expect(start).toHaveBeenCalledTimes(3);
});

test("stopping what never started does nothing", async () => {
  const stop = vi.fn();
  await stopOnce({ stop }, soon());
  expect(stop).not.toHaveBeenCalled();
});

test("reload reaches every part once, whatever fails, and throws the first error", async () => {
  const { seen, part } = recorder();
  const shared = part("a");
  const life = lifecycleOf([shared, part("b", "reload"), shared, part("c")]);
  await expect(life.reload()).rejects.toThrow("reload b");
  expect(seen).toEqual(["reload a", "reload b", "reload c"]);
});

test("the whole tree starts from the outside in: layers, conditions, groups, mounts, last app", async () => {
  const { seen, part } = recorder();
  const living = (name: string) => layer({ name, ...part(name) });
  const app = (name: string): App => ({ handle: () => text(name), ...part(name) });
  const tree = gateway()
    .use(living("outer"), when("/x", living("conditional")), every(living("group")))
    .mount("/b", compose([living("inner")], app("b")))
    .mount("/a/longer", app("a"))
    .run(app("last"));
  await tree.start?.(context);
  await tree.stop?.(soon());
  const names = ["outer", "conditional", "group", "a", "inner", "b", "last"];
  expect(seen).toEqual([...names.map((name) => `start ${name}`), ...names.reverse().map((name) => `stop ${name}`)]);
});

test("the deadline's signal reaches every part that stops", async () => {
  const signals: AbortSignal[] = [];
  const part = (): Lifecycle => ({ stop: (deadline) => void signals.push(deadline) });
  const life = lifecycleOf([part(), part()]);
  await life.start(context);
  const deadline = soon();
  await life.stop(deadline);
  expect(signals).toEqual([deadline, deadline]);
});
