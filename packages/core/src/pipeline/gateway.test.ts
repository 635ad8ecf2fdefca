import { expect, test, vi } from "vitest";
import { readText } from "../body/readers.ts";
import type { Handler } from "../model/app.ts";
import { testRequest } from "../testing/builders.ts";
import { request as send } from "../testing/run.ts";
import { text } from "./answers.ts";
import { compose } from "./compose.ts";
import { gateway } from "./gateway.ts";
import { http } from "./kinds.ts";
import { layer } from "./layer.ts";
import { mount } from "./mount.ts";
import { notesOf } from "./notes.ts";

const where =
  (name: string): Handler =>
  (request) =>
    text(`${name}|${request.mount}|${request.path}`);

test.each([
  ["/app", "app|/app|"],
  ["/app/", "app|/app|/"],
  ["/app/x/y", "app|/app|/x/y"],
  ["/app/deep/x", "deep|/app/deep|/x"],
  ["/application", "last||/application"],
  ["/App", "last||/App"],
  ["/", "last||/"],
  ["/app%2Fdeep/x", "deep|/app/deep|/x"],
  ["/x/../app/y", "app|/app|/y"],
  ["//app//y", "app|/app|/y"],
  ["/%EC%95%88/y", "korean|/\u00ec\u0095\u0088|/y"],
])("R-M16: %s goes to %s", async (target, expected) => {
  const app = gateway()
    .mount("/app", where("app"))
    .mount("/app/deep", where("deep"))
    .mount("/안", where("korean"))
    .run(where("last"));
  const answer = (await app.handle(testRequest(target))) as { body: Uint8Array };
  expect(new TextDecoder().decode(answer.body)).toBe(new TextDecoder().decode(new TextEncoder().encode(expected)));
});

test.each([
  ["admin.example.com", "/x", "admin||/x"],
  ["ADMIN.example.com", "/app/x", "admin-app|/app|/x"],
  ["www.example.com", "/app/x", "any|/app|/x"],
  ["www.example.com", "/x", "wild||/x"],
  ["example.com", "/x", "last||/x"],
  ["other.org", "/app/x", "app|/app|/x"],
])("%s%s goes to %s", async (host, target, expected) => {
  const app = gateway()
    .run(where("last"))
    .mount("*.example.com", where("wild"))
    .mount("/app", where("app"))
    .mount("admin.example.com/app", where("admin-app"))
    .mount("admin.example.com", where("admin"))
    .mount("www.example.com/app", where("any"));
  const answer = await send(app, target, { server: { host, port: 80 } });
  expect(answer.text()).toBe(expected);
});

test.each([
  ["a.b.example.com", "/x", "exact"],
  ["z.b.example.com", "/x", "b-wild"],
  ["z.example.com", "/x", "wild"],
  ["b.example.com", "/x", "wild"],
  ["z.b.example.com", "/path/x", "path-of-wild"],
  ["a.b.example.com", "/path/x", "path-of-wild"],
  ["other.org", "/path/x", "path"],
  ["other.org", "/x", "404"],
])("hosts that overlap: %s%s goes to %s", async (host, target, expected) => {
  const app = gateway()
    .mount("/path", where("path"))
    .mount("*.example.com/path", where("path-of-wild"))
    .mount("*.example.com", where("wild"))
    .mount("*.b.example.com/x", where("b-wild"))
    .mount("a.b.example.com/x", where("exact"))
    .mount("x.example.com", where("other-exact"))
    .mount("x.b.example.com", where("other-exact"));
  const answer = await send(app, target, { server: { host, port: 80 } });
  expect(answer.text().split("|")[0]?.slice(0, expected.length)).toBe(expected);
});

test("the host decides first, but falls through when nothing under it has the path", async () => {
  const app = gateway().mount("a.example.com/x", where("a")).mount("/", where("rest"));
  expect((await send(app, "/y", { server: { host: "a.example.com", port: 80 } })).text()).toBe("rest||/y");
});

test("mounts nest: SCRIPT_NAME grows, PATH_INFO shrinks, the target stays", async () => {
  const inner = gateway().mount("/in", (request) => text(`${request.mount}|${request.path}|${request.target}`));
  expect((await send(gateway().mount("/out", inner), "/out/in/x?q")).text()).toBe("/out/in|/x|/out/in/x?q");
});

test("nothing mounted: 404 with GW_NOT_FOUND, and outer layers still see it", async () => {
  const seen = vi.fn();
  const outer = layer({
    name: "outer",
    onResponse: (answer, request) => {
      seen((notesOf(request.exchange).error as { code: string }).code);
      return answer;
    },
  });
  const answer = await send(gateway().use(outer).mount("/app", where("app")), "/x");
  expect(answer.status).toBe(404);
  expect(seen).toHaveBeenCalledWith("GW_NOT_FOUND");
});

test("an error inside a mount is a response to the layers outside", async () => {
  const statuses: number[] = [];
  const outer = layer({
    name: "outer",
    onResponse: (answer) => {
      if (answer.kind === "response") statuses.push(answer.status);
      return answer;
    },
    onError: () => text("never"),
  });
  const failing: Handler = () => {
    throw new Error("app");
  };
  await send(gateway().use(outer).mount("/a", failing).run(failing), "/a");
  await send(
    gateway()
      .use(outer)
      .run(async () => failing(testRequest())),
    "/b",
  );
  await send(compose([outer, mount("/c", failing)], where("")), "/c");
  expect(statuses).toEqual([500, 500, 500]);
});

test("all layers are around all mounts, in the order of use, whenever they were added", async () => {
  const order: string[] = [];
  const note = (name: string) =>
    layer({
      name,
      onRequest: (request) => {
        order.push(name);
        return request;
      },
    });
  await send(gateway().use(note("a")).mount("/app", where("app")).use(note("b"), note("c")), "/app");
  expect(order).toEqual(["a", "b", "c"]);
});

test("each step gives a new gateway; the old one stays as it was", async () => {
  const base = gateway().mount("/a", where("a"));
  const more = base.mount("/b", where("b"));
  expect((await send(base, "/b")).status).toBe(404);
  expect((await send(more, "/b")).status).toBe(200);
});

test("a place can be taken once, and so can the last app", () => {
  expect(() => gateway().mount("/a", where("")).mount("/a/", where(""))).toThrow(
    expect.objectContaining({ code: "GW_MOUNT_TWICE" }),
  );
  expect(() => gateway().mount("A.com/x", where("")).mount("a.com/x", where(""))).toThrow("mounted already");
  expect(() => gateway().run(where("")).run(where(""))).toThrow(expect.objectContaining({ code: "GW_RUN_TWICE" }));
  gateway().mount("a.com", where("")).mount("*.a.com", where("")).mount("/", where(""));
});

test("what is no app is refused when it is mounted", () => {
  expect(() => gateway().mount("/a", {} as Handler)).toThrow(expect.objectContaining({ code: "GW_NOT_AN_APP" }));
});

test("R-H7: a mount raises or lowers the body limit", async () => {
  const read = http(async (request) => text(await readText(request)));
  const app = gateway().mount("/small", read, { maxBodyBytes: 2 }).mount("/large", read, { maxBodyBytes: 20 });
  const init = { method: "POST", body: "abc", maxBodyBytes: 1 };
  expect((await send(app, "/small", init)).status).toBe(413);
  expect((await send(app, "/large", init)).text()).toBe("abc");
});

test("mount() as a layer: others go on to the next", async () => {
  const app = compose([mount("/a", where("a")), mount("b.example.com", where("b"))], where("next"));
  expect((await send(app, "/a/x")).text()).toBe("a|/a|/x");
  expect((await send(app, "/x", { server: { host: "b.example.com", port: 80 } })).text()).toBe("b||/x");
  expect((await send(app, "/x")).text()).toBe("next||/x");
});

test("the server-wide OPTIONS * is in no path mount", async () => {
  const app = gateway().mount("/app", where("app")).run(where("last"));
  expect((await send(app, "*", { method: "OPTIONS" })).text()).toBe("last||*");
});

test("describes and reports what it contains", () => {
  const app = gateway()
    .use(layer({ name: "log" }))
    .mount("/a", { handle: where("a"), status: () => ({ name: "a", state: "degraded", error: "down" }) })
    .run(function hello() {
      return text("");
    });
  expect(app.describe?.()).toEqual({
    kind: "pipeline",
    name: "pipeline",
    children: [
      { kind: "layer", name: "log" },
      {
        kind: "mounts",
        name: "mounts",
        children: [
          { kind: "mount", name: "/a", at: "/a", children: [{ kind: "app", name: "app" }] },
          { kind: "app", name: "hello" },
        ],
      },
    ],
  });
  expect(app.status?.()).toMatchObject({ state: "degraded", error: "down" });
});
