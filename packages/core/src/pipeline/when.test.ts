import { expect, test } from "vitest";
import { testRequest } from "../testing/builders.ts";
import { request as send } from "../testing/run.ts";
import { isPromise } from "./and-then.ts";
import { text } from "./answers.ts";
import { compose } from "./compose.ts";
import { every } from "./every.ts";
import { gateway } from "./gateway.ts";
import { layer } from "./layer.ts";
import { except, type RequestTest, when } from "./when.ts";

const stamp = (name: string) =>
  layer({ name, onResponse: (answer) => ({ ...answer, headers: answer.headers.append("X-Stamp", name) }) });

async function stamps(test: RequestTest, target: string, wrap = when): Promise<string[]> {
  const answer = await send(
    compose([wrap(test, stamp("a"), stamp("b"))], () => text("")),
    target,
  );
  return answer.headers.getAll("x-stamp");
}

test.each<[RequestTest, string, boolean]>([
  ["/admin", "/admin", true],
  ["/admin", "/admin/x", true],
  ["/admin", "/administrator", false],
  ["/admin", "/x/../admin/y", true],
  ["/admin", "/admin%2Fx", true],
  [["/a", "/b"], "/b/x", true],
  [["/a", "/b"], "/c", false],
  ["localhost/admin", "/admin", true],
  ["other.org/admin", "/admin", false],
  ["/", "/anything", true],
  [(request) => request.method === "GET", "/", true],
  [async (request) => request.method === "POST", "/", false],
])("R-M16: when(%j) and except() divide requests: %s, %s", async (place, target, isIn) => {
  expect(await stamps(place, target)).toEqual(isIn ? ["b", "a"] : []);
  expect(await stamps(place, target, except)).toEqual(isIn ? [] : ["b", "a"]);
});

test("inside a mount, places are below the mount", async () => {
  const inner = compose([when("/admin", stamp("inner"))], () => text(""));
  const app = gateway().mount("/app", inner);
  expect((await send(app, "/app/admin/x")).headers.get("x-stamp")).toBe("inner");
  expect((await send(app, "/app/x")).headers.get("x-stamp")).toBe(null);
});

test("a sync condition makes no promise", () => {
  const app = compose([when("/a", stamp("a"))], () => text(""));
  expect(isPromise(app.handle(testRequest("/a")))).toBe(false);
  expect(isPromise(app.handle(testRequest("/b")))).toBe(false);
});

test("a text that is no place is refused when the layer is made", () => {
  expect(() => when("http://x/", stamp("a"))).toThrow(expect.objectContaining({ code: "GW_PLACE" }));
});

test("every() makes one layer of several, the first outermost", async () => {
  const answer = await send(compose([every(stamp("a"), stamp("b"))], () => text("")));
  expect(answer.headers.getAll("x-stamp")).toEqual(["b", "a"]);
  expect((await send(compose([every()], () => text("x")))).text()).toBe("x");
});

test("groups show what they hold", () => {
  expect(every(stamp("a")).describe?.()).toEqual({
    kind: "layer",
    name: "every",
    children: [{ kind: "layer", name: "a" }],
  });
  expect(when(["/a", "/b"], stamp("a")).layerName).toBe("when /a, /b");
});
