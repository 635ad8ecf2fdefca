// PHP replaced under load: by us, and by somebody else.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@gw/core";
import { createLogger, nodeContext } from "@gw/core/node";
import { type RunningApp, run } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, beforeAll, expect, onTestFinished } from "vitest";
import { type PhpStartOptions, phpFpm } from "../src/index.ts";

/** Debian names it after its version. */
const phpFpmName =
  ["/usr/sbin", "/usr/local/sbin"]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .find((name) => /^php-fpm[0-9.]*$/.test(name)) ?? "php-fpm";

/** How often each is replaced. GW_SOAK=1 is the whole of it; by default a twentieth runs. */
const ROLLS = Math.ceil(140 * Number(process.env.GW_SOAK ?? 0.05));
const LIMIT_MS = 30_000 + 3_000 * ROLLS;

let root = "";
const running: RunningApp[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gw-restart-"));
  await chmod(root, 0o755);
  await writeFile(join(root, "echo.php"), "<?php usleep(random_int(0, 3000)); echo file_get_contents('php://input');");
});

afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(async () => {
  for (const app of running.splice(0)) await app.stop();
});

/** Asks without a pause, every other time something that cannot be asked twice; gives what was not answered rightly. */
async function load(app: RunningApp, until: Promise<void>): Promise<{ asked: number; wrong: string[] }> {
  const wrong: string[] = [];
  let asked = 0;
  let isOver = false;
  const ask = async (): Promise<void> => {
    while (!isOver) {
      const at = asked++;
      const post = at % 2 === 0 ? { method: "POST", body: `body ${at}` } : {};
      const answer = await app.request("/echo.php", post);
      const expected = at % 2 === 0 ? `body ${at}` : "";
      if (answer.status !== 200 || answer.text() !== expected) wrong.push(`${at}: ${answer.status} ${answer.text()}`);
    }
  };
  const workers = [ask(), ask(), ask(), ask(), ask()];
  await until.finally(() => {
    isOver = true;
  });
  await Promise.all(workers);
  return { asked, wrong };
}

const ways: readonly (readonly [title: string, start: PhpStartOptions])[] = [
  ["pm = static, kept connections", { command: phpFpmName, pm: "static", maxChildren: 3 }],
  ["pm = dynamic", { command: phpFpmName, pm: "dynamic", maxChildren: 3 }],
  ["pm = ondemand, a child for each request", { command: phpFpmName, pm: "ondemand", maxChildren: 3, maxRequests: 1 }],
  ["php-cgi", { command: "php-cgi", maxChildren: 3, maxRequests: 20 }],
];

for (const [title, start] of ways) {
  requires(start.command as string)(
    `R-F14: ${title}: replaced ${ROLLS} times under load, no request is lost, POSTs included`,
    async () => {
      const php = phpFpm({ root, start });
      const app = await run(php, { context: nodeContext({ log: silentLogger }) });
      running.push(app);
      const rolls = async (): Promise<void> => {
        for (let at = 0; at < ROLLS; at++) await php.reload?.();
      };
      const { asked, wrong } = await load(app, rolls());
      expect(wrong).toEqual([]);
      expect(asked).toBeGreaterThan(ROLLS);
    },
    LIMIT_MS,
  );
}

requires("php-cgi")(
  "R-O3: a php-cgi that has served its number is replaced at once: no failure, no pause, in 3,000 requests",
  async () => {
    await writeFile(join(root, "fast.php"), "<?php echo 'fast';");
    const lines: string[] = [];
    const log = createLogger({ format: "json", destination: (line) => lines.push(line) });
    const php = phpFpm({ root, start: { command: "php-cgi", maxChildren: 3, maxRequests: 150 } });
    const app = await run(php, { context: nodeContext({ log }) });
    running.push(app);
    for (let at = 0; at < 3_000; at++) expect((await app.request("/fast.php")).text()).toBe("fast");
    expect(lines.filter((line) => line.includes("a process has ended itself")).length).toBeGreaterThanOrEqual(15);
    expect(lines.filter((line) => line.includes("a process failed"))).toEqual([]);
  },
  60_000,
);

/** A PHP-FPM of the system's, as its service starts it. */
async function startService(folder: string, stopTimeout: string): Promise<{ socket: string; child: ChildProcess }> {
  const socket = join(folder, "fpm.sock");
  const file = join(folder, "fpm.conf");
  const isRoot = process.getuid?.() === 0;
  await writeFile(
    file,
    `[global]
daemonize = no
error_log = ${folder}/log
process_control_timeout = ${stopTimeout}
[www]
listen = ${socket}
${isRoot ? "user = www-data" : ""}
pm = static
pm.max_children = 3
`,
  );
  const child = spawn(phpFpmName, ["-F", "-y", file], {
    stdio: "ignore",
    detached: true, // a group of its own, so that its children end with it
    env: { PATH: "/usr/sbin:/usr/bin:/bin" },
  });
  onTestFinished(() => endGroup(child));
  await untilThere(socket);
  return { socket, child };
}

/** Ends PHP-FPM with its children, and waits until none of them is left. */
async function endGroup(child: ChildProcess): Promise<void> {
  const group = -(child.pid as number);
  process.kill(group, "SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  await expect.poll(() => isThere(group), { timeout: 5_000 }).toBe(false);
}

function isThere(group: number): boolean {
  try {
    return process.kill(group, 0);
  } catch {
    return false;
  }
}

async function untilThere(path: string): Promise<void> {
  for (;;) {
    const socket = connect({ path });
    const isThere = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

requires(phpFpmName)(
  "R-F14: a PHP-FPM that its own service reloads loses no request, POSTs included, where it lets its children finish",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "gw-service-"));
    await chmod(folder, 0o755);
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { socket, child } = await startService(folder, "10s");
    const site = phpFpm({ root, socket: `unix:${socket}`, maxConnections: 3, maxIdleConnections: 3 });
    const app = await run(site, { context: nodeContext({ log: silentLogger }) });
    running.push(app);
    const reloads = async (): Promise<void> => {
      for (let at = 1; at <= ROLLS; at++) {
        child.kill("SIGUSR2"); // what `systemctl reload` sends
        await untilLogged(join(folder, "log"), "ready to handle connections", at + 1);
      }
    };
    const { asked, wrong } = await load(app, reloads());
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(ROLLS);
  },
  LIMIT_MS,
);

async function untilLogged(file: string, words: string, times: number): Promise<void> {
  while ((await readFile(file, "utf8")).split(words).length <= times) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
