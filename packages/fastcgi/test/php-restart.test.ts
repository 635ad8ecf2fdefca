// PHP replaced under load: by us, and by somebody else.
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@gw/core";
import { nodeContext } from "@gw/core/node";
import { type RunningApp, run } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type PhpStartOptions, phpFpm } from "../src/index.ts";

/** Debian names it after its version. */
const phpFpmName =
  ["/usr/sbin", "/usr/local/sbin"]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .find((name) => /^php-fpm[0-9.]*$/.test(name)) ?? "php-fpm";

/** Each is replaced so often in all, and with GW_SOAK more. */
const ROLLS = 7 * Number(process.env.GW_SOAK ?? 1);

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
      expect(asked).toBeGreaterThan(5 * ROLLS);
    },
    60_000,
  );
}
