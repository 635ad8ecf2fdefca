// `http://…` as a target: an app that runs elsewhere, behind our login.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { folderWith, gw, serving } from "./gw.ts";

/** A server that says what it was asked. */
async function upstream(): Promise<string> {
  const server = createServer((request, response) => {
    const { "x-remote-user": user, authorization, "x-forwarded-for": client } = request.headers;
    response.end(JSON.stringify({ url: request.url, user, authorization, client }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("an HTTP server is mounted with one word, and is told who asks in the field that was named", async () => {
  const target = await upstream();
  const folder = folderWith();
  await gw(folder, ["passwd", "-c", "users", "ann"], { input: "secret\n" });
  const mount = `/there=${target}/base?userHeader=X-Remote-User`;
  const server = await serving(folder, [
    "serve",
    "static:.",
    "-p",
    "0",
    "--mount",
    mount,
    "--use",
    "basic-auth?htpasswd=users",
  ]);
  const ask = (headers: Record<string, string>) => fetch(`${server.urls[0]}/there/x?y=1`, { headers });
  expect((await ask({ "X-Remote-User": "eve" })).status).toBe(401);
  const answer = await ask({
    Authorization: `Basic ${btoa("ann:secret")}`,
    "X-Remote-User": "eve",
    X_Remote_User: "eve",
  });
  expect(await answer.json()).toEqual({ url: "/base/x?y=1", user: "ann", client: "127.0.0.1" });
});

test("what cannot be a target is one clear line", async () => {
  const folder = folderWith();
  const { code, stderr } = await gw(folder, ["serve", "http://", "-p", "0"]);
  expect([code === 0, stderr.split("\n").length]).toEqual([false, 2]);
  const typo = await gw(folder, ["serve", "http://127.0.0.1:1?usrHeader=X", "-p", "0"]);
  expect([typo.code, typo.stderr]).toEqual([
    2,
    expect.stringContaining('unknown option "usrHeader" (did you mean "userHeader"?)'),
  ]);
});
