// Addresses that a primary holds and others accept from: real sockets, real children.
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLogger } from "../src/model/log.ts";
import { type HeldBind, holdAllBinds, holdBind } from "../src/node/held-bind.ts";
import { parseBind, spawnChild } from "../src/node/index.ts";

async function held(bind: string): Promise<HeldBind> {
  const one = await holdBind(parseBind(bind));
  onTestFinished(() => one.close());
  return one;
}

/** What a child says that accepts on descriptor 4. */
async function answerOf({ fd, address }: HeldBind): Promise<string> {
  const script = `require("net").createServer((s) => s.end("child " + process.pid)).listen({ fd: 4 })`;
  const child = await spawnChild({
    command: [process.execPath, "-e", script],
    env: {},
    control: true,
    pass: [fd],
    log: silentLogger,
  });
  onTestFinished(async () => void (await child.stop(100)));
  const where = "path" in address ? { path: address.path } : address;
  for (;;) {
    const text = await new Promise<string | null>((done) => {
      let all = "";
      connect(where)
        .on("data", (chunk) => (all += String(chunk)))
        .on("end", () => done(all))
        .on("error", () => done(null)); // it does not listen yet
    });
    if (text === `child ${child.pid}`) return text;
  }
}

function listening(server: Server): Promise<number> {
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done((server.address() as { port: number }).port)));
}

test("a child accepts at the port that was held, one child after the other", async () => {
  const one = await held("127.0.0.1:0");
  expect(one.address).toMatchObject({ host: "127.0.0.1", port: expect.any(Number) });
  expect(await answerOf(one)).toMatch(/^child/);
  expect(await answerOf(one)).toMatch(/^child/);
});

test("the same for a unix socket, whose file has its mode and goes with it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gw-held-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "s");
  const one = await holdBind(parseBind(`unix:${path}`), { mode: 0o600 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await answerOf(one)).toMatch(/^child/);
  one.close();
  expect(existsSync(path)).toBe(false);
});

test("a port in use, a foreign address and a host that is no address are refused, and nothing stays held", async () => {
  const server = createServer();
  const port = await listening(server);
  onTestFinished(() => void server.close());
  await expect(holdBind(parseBind(`127.0.0.1:${port}`))).rejects.toMatchObject({ code: "GW_BIND_IN_USE" });
  await expect(holdBind(parseBind("192.0.2.1:0"))).rejects.toMatchObject({ code: "GW_BIND_ADDRESS" });
  const free = await holdBind(parseBind("127.0.0.1:0"));
  const place = `127.0.0.1:${(free.address as { port: number }).port}`;
  free.close();
  await expect(holdAllBinds([place, `127.0.0.1:${port}`].map(parseBind))).rejects.toMatchObject({
    code: "GW_BIND_IN_USE",
  });
  (await holdBind(parseBind(place))).close();
});
