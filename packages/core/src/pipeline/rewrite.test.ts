import { expect, test } from "vitest";
import { toText } from "../bytes/byte-string.ts";
import type { Handler } from "../model/app.ts";
import { pathText } from "../target/raw.ts";
import { openSocket, request as send } from "../testing/run.ts";
import { text } from "./answers.ts";
import { compose } from "./compose.ts";
import { gateway } from "./gateway.ts";
import { accept } from "./kinds.ts";
import { rewrite } from "./rewrite.ts";

const where: Handler = (request) => text(`${request.mount}|${toText(request.path)}|${request.query}|${request.target}`);

const rules = {
  "/old": "/new",
  "/blog/*": "/articles/*",
  "/blog/special": "/special",
  "/page/*": "/index.php?page=*&x=1",
  "/안/*": "/국/*",
  "/*": "/fallback/*",
};

test.each([
  ["/old", "|/new||/old"],
  ["/old?a=b", "|/new|a=b|/old?a=b"],
  ["/blog/2024/x", "|/articles/2024/x||/blog/2024/x"],
  ["/blog/", "|/articles/||/blog/"],
  ["/blog/special", "|/special||/blog/special"],
  ["/page/a%26b/c?q", "|/index.php|page=a%26b/c&x=1&q|/page/a%26b/c?q"],
  ["/%EC%95%88/x", "|/국/x||/%EC%95%88/x"],
  ["/blog", "|/fallback/blog||/blog"],
  ["/old/x", "|/fallback/old/x||/old/x"],
])("rewrites %s", async (target, expected) => {
  expect((await send(compose([rewrite(rules)], where), target)).text()).toBe(expected);
});

test("a request that meets no rule goes on as it is", async () => {
  let seen: unknown;
  const app = compose([rewrite({ "/a": "/b" })], (request) => {
    seen = request.path;
    return text("");
  });
  await send(app, "/x");
  expect(seen).toBe("/x");
});

test("inside a mount, rules are below the mount", async () => {
  const app = gateway().mount("/app", compose([rewrite({ "/old": "/new" })], where));
  expect((await send(app, "/app/old")).text()).toBe("/app|/new||/app/old");
});

test("a function gives the new path as text, with a query if wanted, or null", async () => {
  const users = rewrite((request) => {
    const match = /^\/u\/(\d+)$/.exec(pathText(request));
    return match === null ? null : `/users/안?id=${match[1]}`;
  });
  expect((await send(compose([users], where), "/u/7?x")).text()).toBe("|/users/안|id=7&x|/u/7?x");
  expect((await send(compose([users], where), "/other")).text()).toBe("|/other||/other");
});

test("sockets are rewritten, too", async () => {
  const app = compose([rewrite({ "/ws": "/chat" })], (request) =>
    request.path === "/chat" ? accept(async () => {}) : text("", { status: 404 }),
  );
  const socket = await openSocket(app, "/ws");
  expect(socket.response).toBe(null);
  socket.close();
  await socket.ended;
});

test.each(["no-slash", "/a/../b", "/a//b", "/./a", "/a/..", "/a\u0000", ""])(
  "R-M16: a function's result that guards would not have seen so is refused: %j",
  async (path) => {
    const answer = await send(compose([rewrite(() => path)], where));
    expect(answer.status).toBe(500);
    expect(answer.outcome.error).toMatchObject({ code: "GW_REWRITE" });
  },
);

test.each([
  { old: "/x" },
  { "/a*": "/x" },
  { "/a/*/b": "/x" },
  { "/a": "/x/*" },
  { "/a/*": "/x/*/y" },
  { "/a/*": "/x*" },
  { "/a": "x" },
  { "/a": "/x/../y" },
  { "/a": "//host/x" },
  { "/a": "/x?q=a b" },
] as Record<string, string>[])("refuses the table %j", (table) => {
  expect(() => rewrite(table)).toThrow(expect.objectContaining({ code: "GW_PATH_RULE" }));
});
