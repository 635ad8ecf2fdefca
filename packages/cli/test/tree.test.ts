// `gw serve --workers N`: a primary that holds the addresses, workers that serve; signals, faults, replacements.
import { existsSync, readFileSync } from "node:fs";
import { Agent, get as httpGet } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { appSaying, folderWith, gw, type Server, serving } from "./gw.ts";

const pidApp = `import { text } from "@gw/core";
export default async (request) => {
  if (request.path === "/hang") for (;;) {}
  if (request.path === "/grow") (globalThis.kept ??= []).push(Buffer.alloc(80_000_000, 1));
  if (request.path === "/slow") await new Promise((done) => setTimeout(done, 400));
  return text(String(process.pid));
};
`;

/** One request on a connection of its own. */
function ask(server: Server, path = "/", agent?: Agent): Promise<string> {
  return new Promise((done, fail) => {
    const request = httpGet(
      `${server.urls[0]}${path}`,
      agent === undefined ? { agent: false } : { agent },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        answer.on("end", () =>
          answer.statusCode === 200 ? done(text) : fail(new Error(`status ${answer.statusCode}`)),
        );
        answer.on("error", fail);
      },
    );
    request.on("error", fail);
  });
}

/** Ids of the workers that answer, asked until `count` different ones did or `tries` are over. */
async function workersOf(server: Server, count: number, tries = 400): Promise<Set<number>> {
  const found = new Set<number>();
  for (let at = 0; at < tries && found.size < count; at++) {
    for (const text of await Promise.all(Array.from({ length: 8 }, () => ask(server)))) found.add(Number(text));
  }
  return found;
}

/** Waits until something holds; the test's own time limit ends a wait for nothing. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function treeOf(words: readonly string[] = [], app = pidApp): Promise<Server> {
  const folder = folderWith({ "app.mjs": app });
  return serving(folder, ["serve", "app.mjs", "-p", "0", "-w", "2", "--no-access-log", ...words]);
}

describe("start and stop", () => {
  test("two workers answer at one address, and all end with the primary", async () => {
    const server = await treeOf();
    expect(server.urls).toHaveLength(1);
    const workers = await workersOf(server, 2);
    expect(workers.size).toBe(2);
    expect(workers).not.toContain(server.pid);
    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect([...workers].filter(isAlive)).toEqual([]);
    expect(server.stderr()).toMatch(/gw: stopped\n$/);
  });

  test("a unix socket and a pid file are there while it runs", async () => {
    const folder = folderWith({ "app.mjs": pidApp });
    const [socket, pid] = [join(folder.path, "gw.sock"), join(folder.path, "gw.pid")];
    const server = await serving(folder, ["serve", "app.mjs", "--uds", socket, "-w", "2", "--pid", pid]);
    expect(readFileSync(pid, "utf8")).toBe(`${server.pid}\n`);
    const answer = await new Promise<number | undefined>((done, fail) => {
      httpGet({ socketPath: socket, path: "/" }, (response) => done(response.resume().statusCode)).on("error", fail);
    });
    expect(answer).toBe(200);
    server.kill("SIGINT");
    expect(await server.ended).toBe(0);
    expect([socket, pid].filter(existsSync)).toEqual([]);
  });

  test("what stops a worker from starting is said once, with the exit code of a gateway alone", async () => {
    const folder = folderWith({ "bad.mjs": 'throw new Error("not today");\n', "app.mjs": pidApp });
    const broken = await gw(folder, ["serve", "bad.mjs", "-p", "0", "-w", "2", "--log-level", "silent"]);
    expect(broken.code).toBe(1);
    expect(broken.stderr.match(/not today/g)).toHaveLength(1);
    const unknown = await gw(folder, ["serve", "app.mjs:missing", "-p", "0", "-w", "2", "--log-level", "silent"]);
    const alone = await gw(folder, ["serve", "app.mjs:missing", "-p", "0"]);
    expect([unknown.code, unknown.stderr]).toEqual([alone.code, alone.stderr]);
    const many = await gw(folder, ["serve", "app.mjs", "-p", "0", "-w", "1000"]);
    expect([many.code, many.stderr]).toEqual([2, "gw: --workers: found 1000, allowed: 0 to 256\n"]);
  });

  test("a port that somebody else listens on is one clear line", async () => {
    const first = await treeOf();
    const folder = folderWith({ "app.mjs": pidApp });
    const port = new URL(first.urls[0] as string).port;
    const second = await gw(folder, ["serve", "app.mjs", "-p", port, "-w", "2"]);
    expect(second.code).toBe(1);
    expect(second.stderr).toBe(`gw: cannot listen on 127.0.0.1:${port}: the address is in use\n`);
  });

  test("R-O1: TERM lets what has begun finish; a second one cuts it", async () => {
    const patient = await treeOf();
    const slow = ask(patient, "/slow");
    await pause(100);
    patient.kill("SIGTERM");
    expect(Number(await slow)).toBeGreaterThan(0);
    expect(await patient.ended).toBe(0);

    const hurried = await treeOf([], pidApp.replace("400", "60_000"));
    const cut = ask(hurried, "/slow").then(
      () => "answered",
      () => "cut",
    );
    await pause(200);
    hurried.kill("SIGTERM");
    await pause(200);
    hurried.kill("SIGTERM");
    expect(await cut).toBe("cut");
    await hurried.ended;
  });

  test("no worker outlives a primary that is killed", async () => {
    const server = await treeOf();
    const workers = [...(await workersOf(server, 2))];
    server.kill("SIGKILL");
    await server.ended;
    await until(() => !workers.some(isAlive));
  });
});

describe("reload", () => {
  test("R-O2: HUP puts new workers in place while requests go on, none is lost", async () => {
    const folder = folderWith({ "app.mjs": appSaying("one").replace(/type GatewayRequest, |: GatewayRequest/g, "") });
    const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "-w", "2", "--no-access-log"]);
    const agent = new Agent({ keepAlive: true });
    const answers: string[] = [];
    let isOver = false;
    const client = async (own?: Agent): Promise<void> => {
      while (!isOver) answers.push(await ask(server, "/", own));
    };
    const clients = [client(), client(), client(agent), client(agent)];
    for (const word of ["two", "three"]) {
      folder.write("app.mjs", appSaying(word).replace(/type GatewayRequest, |: GatewayRequest/g, ""));
      const reloaded = server.says(/gw: reloaded in/);
      server.kill("SIGHUP");
      await reloaded;
      expect(await ask(server)).toBe(`${word} /\n`);
    }
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    expect(new Set(answers)).toEqual(new Set(["one /\n", "two /\n", "three /\n"]));
  });

  test("R-O2: a broken version changes nothing and says why", async () => {
    const folder = folderWith({ "app.mjs": pidApp });
    const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "-w", "2", "--no-access-log"]);
    const before = await workersOf(server, 2);
    folder.write("app.mjs", "export default 7 +;\n");
    const refused = server.says(/gw: not reloaded; the workers from before go on/);
    server.kill("SIGHUP");
    await refused;
    expect(server.stderr()).toMatch(/gw: cannot load app\.mjs/);
    expect(await workersOf(server, 2)).toEqual(before);
  });

  test("TTIN adds a worker, TTOU takes one away, the last one stays", async () => {
    const server = await treeOf(["-w", "1"]);
    const first = await workersOf(server, 1);
    server.kill("SIGTTIN");
    await until(async () => (await workersOf(server, 2, 20)).size === 2);
    for (let time = 0; time < 3; time++) server.kill("SIGTTOU");
    await until(async () => (await workersOf(server, 2, 5)).size === 1);
    expect(await workersOf(server, 1)).toEqual(first);
  });
});

describe("faults", () => {
  test("R-O5: a killed worker costs its own requests only, and is replaced", async () => {
    const server = await treeOf();
    const [one, other] = [...(await workersOf(server, 2))] as [number, number];
    process.kill(one, "SIGKILL");
    expect(Number(await ask(server))).toBe(other);
    await until(async () => (await workersOf(server, 2, 5)).size === 2);
    expect(await workersOf(server, 2)).not.toContain(one);
  });

  test("R-O4: a worker whose loop stands still is killed and replaced", async () => {
    const server = await treeOf(["--worker-timeout", "2s"]);
    const before = await workersOf(server, 2);
    const hung = ask(server, "/hang").catch((error: NodeJS.ErrnoException) => error.code);
    expect(await hung).toBe("ECONNRESET");
    expect(server.stderr()).toContain("a worker hangs: it is killed and replaced");
    await until(async () => (await workersOf(server, 2, 5)).size === 2);
    expect([...(await workersOf(server, 2))].filter((pid) => before.has(pid))).toHaveLength(1);
  });

  test("a worker that has served its number of requests is replaced, with no request lost", async () => {
    const server = await treeOf(["--max-requests", "50"]);
    const before = await workersOf(server, 2);
    await until(async () => ![...(await workersOf(server, 2, 5))].some((pid) => before.has(pid)));
    expect(server.stderr()).toMatch(/a worker is replaced: it has served \d+ requests/);
  });

  test("a worker that uses too much memory is replaced", async () => {
    const server = await treeOf(["-w", "1", "--max-rss", "250m"]);
    const [before] = await workersOf(server, 1);
    for (let time = 0; time < 4; time++) await ask(server, "/grow");
    await until(async () => Number(await ask(server)) !== before);
    expect(server.stderr()).toMatch(/a worker is replaced: it uses \d+ MB of memory/);
  });
});

const backendApp = `import { text } from "@gw/core";
let backend;
export default {
  async start(context) {
    const command = [process.execPath, "-e", "console.log('up'); setInterval(() => {}, 1e6)"];
    backend = await context.backends.start({ name: "helper", command, env: {}, socket: "none", ready: "spawn" });
    await backend.ready;
    globalThis.counters = context.counters;
  },
  stop: () => backend.stop(),
  async handle(request) {
    if (request.path === "/hit") return text(String((await counters.hit("k", { windowMs: 3_600_000 })).count));
    if (request.path === "/roll") await backend.roll();
    return text(backend.processes.map(({ pid }) => pid).join());
  },
};
`;

describe("shared by all workers", () => {
  test("a backend runs once, is seen alike by all, and a reload brings a new one before the old one ends", async () => {
    const folder = folderWith({ "app.mjs": backendApp });
    const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "-w", "2", "--no-access-log"]);
    const seen = await workersOf(server, 2, 10);
    expect(seen.size).toBe(1);
    const [first] = seen as unknown as [number];
    await ask(server, "/roll");
    await until(async () => Number(await ask(server)) !== first);
    const [rolled] = [...(await workersOf(server, 2, 5))] as [number];
    const reloaded = server.says(/gw: reloaded/);
    server.kill("SIGHUP");
    await reloaded;
    const [fresh] = [...(await workersOf(server, 1))] as [number];
    expect(fresh).not.toBe(rolled);
    await until(() => !isAlive(first) && !isAlive(rolled));
    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(isAlive(fresh)).toBe(false);
  });

  test("R-M14: counters count for the gateway, not for each worker", async () => {
    const server = await treeOf([], backendApp);
    const counts = await Promise.all(Array.from({ length: 40 }, () => ask(server, "/hit")));
    expect(new Set(counts.map(Number))).toEqual(new Set(Array.from({ length: 40 }, (_, at) => at + 1)));
  });
});
