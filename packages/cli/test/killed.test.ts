// What is left of a gateway after each kind of end, kill -9 of its primary above all.

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { Agent, get as httpGet } from "node:http";
import { join } from "node:path";
import { freePort } from "@gw-private/free-port";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { type Folder, folderWith, type Server, serving } from "./gw.ts";
import { isAlive, processesBelow } from "./soak/process-tree.ts";
import { phpFpmName, siteFolder, siteWords } from "./soak/site.ts";

const app = `import { writeFileSync } from "node:fs";
import { text } from "@gw/core";
export default async (request) => {
  if (request.path !== "/") writeFileSync("begun", "");
  if (request.path === "/slow") await new Promise((done) => setTimeout(done, 600));
  if (request.path === "/stuck") for (const end = Date.now() + 60_000; Date.now() < end; );
  return text("typescript");
};
`;

const cgi = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\ncgi'
`;

const paths = ["/", "/php/echo.php", "/wsgi/", "/asgi/", "/pool/", "/cgi/hello"];
const test = requires(phpFpmName, "python3", "perl", "/proc/self/environ");

/** Every kind of program below one gateway, and all of its sockets in one place. */
interface Site {
  readonly folder: Folder;
  readonly port: number;
  start(): Promise<Server>;
}

async function wholeSite(processes: readonly string[] = ["-w", "2"]): Promise<Site> {
  const folder = siteFolder();
  folder.write("app.mjs", app);
  folder.write(
    "pool.pl",
    'use FCGI; my $r = FCGI::Request(); print "Content-Type: text/plain\\r\\n\\r\\npool" while $r->Accept() >= 0;',
  );
  folder.write("programs/hello", cgi, 0o755);
  mkdirSync(join(folder.path, "tmp"), { mode: 0o777 });
  const port = await freePort();
  const words = ["serve", ...siteWords, ...processes, "--pid", "gw.pid", "--admin", "unix:./admin.sock"].concat(
    ["--mount", "/pool=fastcgi:perl?args=pool.pl&max=2", "--mount", "/cgi=cgi-bin:./programs"],
    ["-b", `127.0.0.1:${port}`, "-b", "unix:./gw.sock"],
  );
  const environment = { TMPDIR: join(folder.path, "tmp") };
  return { folder, port, start: () => serving(folder, words, { environment, binds: 2 }) };
}

const agent = new Agent({ keepAlive: false });

function ask(where: { port: number } | { socketPath: string }, path: string): Promise<string> {
  return new Promise((done) => {
    const request = httpGet({ host: "127.0.0.1", ...where, path, agent }, (answer) => {
      let text = String(answer.statusCode);
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += ` ${chunk}`));
      answer.on("end", () => done(text));
      answer.on("error", () => done("cut"));
    });
    request.on("error", ({ message }) => done(message));
  });
}

const answers = ({ port }: Site): Promise<string[]> => Promise.all(paths.map((path) => ask({ port }, path)));
const right = ["200 typescript", "200 php", "200 python", "200 asgi", "200 pool", "200 cgi"];

/** Files that name a running gateway, of which there shall be none when it has ended well. */
const left = ({ folder }: Site): string[] => [
  ...["gw.sock", "admin.sock", "gw.pid"].filter((name) => existsSync(join(folder.path, name))),
  ...readdirSync(join(folder.path, "tmp")),
];

test("R-O1, R-O14: TERM, and INT twice, leave no process, no socket and no folder", async () => {
  const site = await wholeSite();
  for (const signals of [["SIGTERM"], ["SIGINT", "SIGINT"]] as const) {
    const server = await site.start();
    expect(await answers(site)).toEqual(right);
    const below = processesBelow(server.pid).map(({ pid }) => pid);
    expect(below.length).toBeGreaterThan(10);
    for (const signal of signals) server.kill(signal);
    await server.ended;
    expect(left(site)).toEqual([]);
    await expect.poll(() => below.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  }
}, 60_000);

test("R-O14: when the primary is killed every process ends, what a worker has begun is finished, and the next start is as any", async () => {
  const site = await wholeSite();
  const first = await site.start();
  expect(await answers(site)).toEqual(right);
  const below = processesBelow(first.pid).map(({ pid }) => pid);
  const rooms = readdirSync(join(site.folder.path, "tmp"));
  const slow = ask({ port: site.port }, "/slow");
  await begun(site.folder);

  await killed(first);
  const second = await site.start(); // at once, at the same port and socket, over the same pid file
  expect(await slow).toBe("200 typescript");
  expect(await answers(site)).toEqual(right);
  expect(await ask({ socketPath: join(site.folder.path, "gw.sock") }, "/")).toBe("200 typescript");
  expect(readFileSync(join(site.folder.path, "gw.pid"), "utf8")).toBe(`${second.pid}\n`);
  await expect.poll(() => below.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  const stays = (): string[] => rooms.filter((name) => existsSync(join(site.folder.path, "tmp", name)));
  await expect.poll(stays, { timeout: 10_000 }).toEqual([]);

  second.kill("SIGTERM");
  expect(await second.ended).toBe(0);
  expect(left(site)).toEqual([]);
}, 60_000);

test("R-O14: when a gateway of one process is killed, its programs and their sockets go, and the next start is as any", async () => {
  const site = await wholeSite([]);
  const first = await site.start();
  expect(await answers(site)).toEqual(right);
  const below = processesBelow(first.pid).map(({ pid }) => pid);
  const rooms = readdirSync(join(site.folder.path, "tmp"));
  await killed(first);
  const second = await site.start();
  await expect.poll(() => below.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  const stays = (): string[] => rooms.filter((name) => existsSync(join(site.folder.path, "tmp", name)));
  await expect.poll(stays, { timeout: 10_000 }).toEqual([]);
  expect(await answers(site)).toEqual(right);
  second.kill("SIGTERM");
  expect(await second.ended).toBe(0);
  expect(left(site)).toEqual([]);
}, 60_000);

test("R-O4: a worker that hangs when its primary is killed holds the addresses for five seconds; the next start waits for it", async () => {
  const folder = folderWith({ "app.mjs": app });
  const words = ["serve", "app.mjs", "-w", "1", "-b", `127.0.0.1:${await freePort()}`, "-b", "unix:./gw.sock"];
  const first = await serving(folder, words, { binds: 2 });
  const [worker] = processesBelow(first.pid).filter(({ role }) => role === "worker");
  const stuck = ask({ socketPath: join(folder.path, "gw.sock") }, "/stuck");
  await begun(folder);
  await killed(first);
  await serving(folder, words, { binds: 2 });
  expect(await ask({ socketPath: join(folder.path, "gw.sock") }, "/")).toBe("200 typescript");
  expect(await stuck).toMatch(/hang up|ECONNRESET/);
  expect(isAlive(worker?.pid as number)).toBe(false);
}, 60_000);

/** Settles when an app has begun to work on a request. */
const begun = ({ path }: Folder): Promise<void> => until(() => existsSync(join(path, "begun")));

/** Its workers, which write to its standard error, may live on. */
async function killed(server: Server): Promise<void> {
  server.kill("SIGKILL");
  await until(() => !isAlive(server.pid));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 20));
}
