import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accept, compose, text } from "@gw/core";
import { openSocket, request, run } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type ServeStaticOptions, serveStatic } from "../src/serve-static.ts";
import { testFolder } from "./folder.ts";

function siteOf(options: Partial<ServeStaticOptions> = {}) {
  const root = testFolder();
  mkdirSync(join(root, "sub"));
  writeFileSync(join(root, "a.txt"), "0123456789");
  writeFileSync(join(root, "index.html"), "<p>home</p>");
  writeFileSync(join(root, ".secret"), "no");
  return compose([serveStatic({ root, ...options })], (given) =>
    given.kind === "websocket" ? accept(async () => {}) : text("the app"),
  );
}

test("files come first, the app for everything else", async () => {
  const app = await run(siteOf());
  const file = await app.request("/a.txt");
  expect([file.text(), file.headers.get("content-type")]).toEqual(["0123456789", "text/plain; charset=utf-8"]);
  expect((await app.request("/")).text()).toBe("<p>home</p>");
  expect((await app.request("/sub")).status).toBe(301);
  for (const target of ["/missing", "/.secret", "/sub/"]) expect((await app.request(target)).text()).toBe("the app");
  expect((await app.request("/a.txt", { method: "POST" })).text()).toBe("the app");
  await app.stop();
});

test("ranges and validators work", async () => {
  const app = await run(siteOf());
  const part = await app.request("/a.txt", { headers: { Range: "bytes=2-4" } });
  expect([part.status, part.text()]).toEqual([206, "234"]);
  const etag = part.headers.get("etag") ?? "";
  expect((await app.request("/a.txt", { headers: { "If-None-Match": etag } })).status).toBe(304);
  await app.stop();
});

test("without falling through, what is no file is 404 and 405", async () => {
  const app = await run(siteOf({ fallThrough: false }));
  expect((await app.request("/missing")).status).toBe(404);
  expect((await app.request("/a.txt", { method: "POST" })).status).toBe(405);
  await app.stop();
});

test("below a mount the rest of the path counts; sockets pass", async () => {
  expect((await request(siteOf(), "/files/a.txt", { mount: "/files" })).text()).toBe("0123456789");
  const socket = await openSocket(siteOf(), "/a.txt");
  expect(socket.response).toBe(null);
  await socket.ended;
});

test("a root that is no directory stops the gateway at its start", async () => {
  await expect(run(siteOf({ root: "/nowhere/at/all" }))).rejects.toMatchObject({ code: "GW_STATIC_ROOT" });
});
