// The smallest program of each shape, started as its package.json says.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gw, serving } from "./gw.ts";

const apps = join(import.meta.dirname, "../../../apps");
const hellos = readdirSync(apps).filter((name) => name.startsWith("hello-"));

test("there is one for each shape of app", () => {
  expect(hellos).toEqual(["hello-app", "hello-asgi", "hello-cgi", "hello-fetch", "hello-handler", "hello-wsgi"]);
});

test.each(hellos)("apps/%s starts, greets, and passes gw check", async (name) => {
  const folder = join(apps, name);
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { scripts: { start: string } };
  const [command, ...words] = scripts.start.split(" ");
  expect(command).toBe("gw");
  const server = await serving({ path: folder }, words, { environment: { GW_PORT: "0" } });
  const answer = await fetch(`${server.urls[0]}/`);
  expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
    200,
    expect.stringMatching(/^text\/plain/),
    "Hello, World!\n",
  ]);
  const checked = await gw({ path: folder }, ["check", ...words.slice(1)]);
  expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining("lint found nothing") });
});
