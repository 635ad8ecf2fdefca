// Log files: where lines go, rotation by signal, by `gw ctl` and by logrotate, access logs of single mounts.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { requires } from "@gw-private/requires";
import { expect, test } from "vitest";
import { appSaying, type Folder, folderWith, gw, type Server, serving } from "./gw.ts";

const app = appSaying("hello");

/** Waits until something holds; the test's own time limit ends a wait for nothing. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}

async function ask(server: Server, path: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${server.urls[0]}${path}`, { headers: { connection: "close", ...headers } });
  await response.arrayBuffer();
  return response.status;
}

function linesOf(folder: Folder, name: string): string[] {
  const path = join(folder.path, name);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

const FORMAT = "%P %U %>s";

/** Two workers that log the id of each, where they are told to. */
async function twoWorkers(folder: Folder, words: readonly string[] = []): Promise<Server> {
  const logs = ["--log-file", "gw.log", "--access-log-file", "access.log", "--access-log-format", FORMAT];
  return serving(folder, ["serve", "app.ts", "-p", "0", "-w", "2", "--pid", "gw.pid", ...logs, ...words]);
}

/** Asks until both workers have written to the access log. */
async function untilBothWrite(server: Server, folder: Folder, path: string): Promise<number> {
  for (let asked = 1; ; asked++) {
    expect(await ask(server, path)).toBe(200);
    await pause(2);
    if (new Set(linesOf(folder, "access.log").map((line) => line.split(" ")[0])).size === 2) return asked;
  }
}

test("USR1: every worker goes on in new files, and no line is lost", async () => {
  const folder = folderWith({ "app.ts": app });
  const server = await twoWorkers(folder, ["--log-level", "debug", "--admin", "unix:admin.sock"]);
  const before = await untilBothWrite(server, folder, "/before");
  for (const name of ["access.log", "gw.log"]) renameSync(join(folder.path, name), join(folder.path, `${name}.1`));
  server.kill("SIGUSR1");
  await until(() => existsSync(join(folder.path, "access.log")) && existsSync(join(folder.path, "gw.log")));
  const after = await untilBothWrite(server, folder, "/after");
  const lines = [...linesOf(folder, "access.log.1"), ...linesOf(folder, "access.log")];
  await until(() => lines.length > 0);
  expect(linesOf(folder, "access.log").every((line) => line.endsWith(" /after 200"))).toBe(true);

  renameSync(join(folder.path, "access.log"), join(folder.path, "access.log.2"));
  expect(await gw(folder, ["ctl", "reopen-logs", "--admin", "unix:admin.sock"])).toMatchObject({
    code: 0,
    stdout: "log files opened anew\n",
  });
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  const all = [".1", ".2", ""].flatMap((end) => linesOf(folder, `access.log${end}`));
  expect(all.filter((line) => line.includes(" /before "))).toHaveLength(before);
  expect(all.filter((line) => line.includes(" /after "))).toHaveLength(after);
  expect(linesOf(folder, "gw.log.1").join("\n")).toContain("a process is ready");
  expect(server.stderr()).not.toContain("a process is ready");
});

test("a rotation that cannot open a file says so, and its lines go on in the old one", async () => {
  const folder = folderWith({ "app.ts": app, "logs/keep": "" });
  const words = ["--access-log-file", "logs/access.log", "--admin", "unix:admin.sock"];
  const server = await serving(folder, ["serve", "app.ts", "-p", "0", ...words]);
  expect(await ask(server, "/one")).toBe(200);
  renameSync(join(folder.path, "logs"), join(folder.path, "away"));
  const { code, stderr } = await gw(folder, ["ctl", "reopen-logs", "--admin", "unix:admin.sock"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/cannot open the log file .*logs\/access\.log: ENOENT/);
  expect(await ask(server, "/two")).toBe(200);
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  expect(linesOf(folder, "away/access.log").map((line) => line.split('"')[1])).toEqual([
    "GET /one HTTP/1.1",
    "GET /two HTTP/1.1",
  ]);
});

test("a log file that cannot be opened ends the start", async () => {
  const folder = folderWith({ "app.ts": app });
  for (const flag of ["--log-file", "--access-log-file"]) {
    const { code, stderr } = await gw(folder, ["serve", "app.ts", "-p", "0", flag, "none/gw.log"]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^gw: .*cannot open the log file .*none\/gw\.log: ENOENT/),
    ]);
  }
});

requires("logrotate")("the recipe of docs/operations.md for logrotate", async () => {
  const folder = folderWith({ "app.ts": app });
  const manual = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");
  const [, recipe = ""] = /# \/etc\/logrotate\.d\/gw\n([\s\S]*?)```/.exec(manual) ?? [];
  const ours = recipe.replaceAll("/var/log/gw", folder.path).replaceAll("/run/gw/gw.pid", join(folder.path, "gw.pid"));
  expect(ours).not.toContain("/var/log");
  folder.write("rotate.conf", ours.replace(/ {4}su .*\n/, ""));
  const server = await twoWorkers(folder);
  const before = await untilBothWrite(server, folder, "/before");
  const rotate = ["-f", "-s", join(folder.path, "state"), join(folder.path, "rotate.conf")];
  execFileSync("logrotate", rotate, { stdio: "pipe" });
  await until(() => existsSync(join(folder.path, "access.log")));
  const after = await untilBothWrite(server, folder, "/after");
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  const [rotated = ""] = readdirSync(folder.path).filter((name) => /^access\.log[.-]\d/.test(name));
  expect(linesOf(folder, rotated).filter((line) => line.includes(" /before "))).toHaveLength(before);
  const all = [...linesOf(folder, rotated), ...linesOf(folder, "access.log")];
  expect(all.filter((line) => line.includes(" /after "))).toHaveLength(after);
});

test("a mount has an access log of its own, also for what a layer refuses, and another has none", async () => {
  const folder = folderWith({
    "app.ts": app,
    users: "ann:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n",
    "gw.config.json": JSON.stringify({
      app: "./app.ts",
      accessLogFormat: "%U",
      mounts: {
        "/api": { app: "./app.ts", accessLog: { format: "json", file: "api.log" } },
        "/api/quiet": { app: "./app.ts", accessLog: false },
        "/short": { app: "./app.ts", accessLog: "short %U" },
        "/plain": "./app.ts",
      },
    }),
    "refuse.mjs": `import { GatewayError, layer } from "@gw/core";
export default layer({ name: "refuse", onRequest(request) {
  if (request.query === "no") throw new GatewayError("GW_TEST", 403, "no");
  return request;
} });
`,
  });
  const server = await serving(folder, ["serve", "-p", "0", "--use", "./refuse.mjs"]);
  const paths = ["/x", "/api/x", "/api/x?no", "/api/quiet/x", "/short/x", "/plain/x"];
  for (const path of paths) await ask(server, path);
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  expect(server.stdout()).toBe("/x\nshort /short/x\n/plain/x\n");
  expect(linesOf(folder, "api.log").map((line) => JSON.parse(line) as object)).toMatchObject([
    { target: "/api/x", status: 200 },
    { target: "/api/x?no", status: 403 },
  ]);
});

test("the access log is JSON with --log-format json, and has the letters it is told", async () => {
  const folder = folderWith({ "app.ts": app });
  const server = await serving(folder, ["serve", "app.ts", "-p", "0", "--log-format", "json"]);
  await ask(server, "/a");
  server.kill("SIGTERM");
  await server.ended;
  expect(JSON.parse(server.stdout())).toMatchObject({ method: "GET", target: "/a", status: 200, bytesSent: 9 });
  const unknown = await gw(folder, ["serve", "app.ts", "-p", "0", "--access-log-format", "%y"]);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('the log format has "%y"; known are')]);
});
