// The site that load tests ask: TypeScript, PHP and Python behind one gateway, and the same app behind FastCGI.
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Folder, folderWith } from "../gw.ts";
import type { Task } from "./clients.ts";

const app = `import { accept, readText, text } from "@gw/core";
export default async (request) => {
  if (request.kind === "websocket")
    return accept(async (peer) => {
      for await (const message of peer) await peer.send(message.text());
    });
  if (request.path === "/slow") await new Promise((done) => setTimeout(done, 30));
  return text(request.method === "POST" ? await readText(request) : "typescript");
};
`;

const python = `def app(environ, start):
    body = environ["wsgi.input"].read() if environ["REQUEST_METHOD"] == "POST" else b"python"
    start("200 OK", [("Content-Type", "text/plain")])
    return [body]
`;

const asgi = `async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})
`;

/** Sessions and a limit in Redis. It writes down which worker is connected, each time it is. */
const shop = `import { appendFileSync } from "node:fs";
import { compose, gateway, text } from "@gw/core";
import { rateLimit } from "@gw/middleware/rate-limit";
import { redisCounters } from "@gw/middleware/redis-counters";
import { session, sessionOf } from "@gw/middleware/session";
import { redisStore } from "@gw/middleware/session/redis";
import { Redis } from "ioredis";

const client = new Redis(process.env.REDIS, { lazyConnect: true });
client.on("ready", () => appendFileSync(process.env.REDIS_READY, process.pid + "\\n"));
const limit = rateLimit({ limit: 1e9, name: "soak", counters: redisCounters({ client }) });
export default gateway()
  .mount("/limited", compose([limit], () => text("limited")))
  .mount("/visits", compose([session({ store: redisStore({ client }) })], (request) => {
    const mine = sessionOf(request);
    if (mine.principal === null) mine.logIn({ user: "ann", type: "form", groups: [], claims: {} });
    mine.update("visits", (before = 0) => before + 1);
    return text(mine.principal.user + " " + mine.get("visits"));
  }));
`;

/** Debian names it after its version. */
export const phpFpmName: string =
  ["/usr/sbin", "/usr/local/sbin"]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .find((name) => /^php-fpm[0-9.]*$/.test(name)) ?? "php-fpm";

/** A folder with the site, gone after the test. */
export function siteFolder(): Folder {
  const folder = folderWith({
    "app.mjs": app,
    "plain.py": python,
    "waiting.py": asgi,
    "shop.mjs": shop,
    "php/echo.php": "<?php echo $_SERVER['REQUEST_METHOD'] === 'POST' ? file_get_contents('php://input') : 'php';",
  });
  chmodSync(folder.path, 0o755); // PHP runs as another user
  chmodSync(join(folder.path, "php"), 0o755);
  return folder;
}

/** Words of the command that mount it all. */
export const siteWords: readonly string[] = [
  "app.mjs",
  "--mount",
  `/php=php:./php?command=${phpFpmName}&maxChildren=3`,
  "--mount",
  "/wsgi=wsgi:plain:app?workers=2&threads=2",
  "--mount",
  "/asgi=asgi:waiting:app?workers=2",
  "--no-access-log",
];

/** Words that mount what keeps its sessions and counts in Redis. */
export const shopWords: readonly string[] = ["--mount", "/shop=./shop.mjs"];

const body = "a body ".repeat(300);

/** Requests to the app in TypeScript. */
export const ownTasks: readonly Task[] = [
  { path: "/", answer: "typescript" },
  { path: "/", body, answer: body },
  { path: "/slow", answer: "typescript" },
];

/** Requests to every mount. */
export const allTasks: readonly Task[] = [
  ...ownTasks,
  { path: "/php/echo.php", answer: "php" },
  { path: "/php/echo.php", body, answer: body },
  { path: "/wsgi/", answer: "python" },
  { path: "/wsgi/", body, answer: body },
  { path: "/asgi/", answer: "asgi" },
];

/** Requests to every mount, and to one that counts in Redis. */
export const shopTasks: readonly Task[] = [...allTasks, { path: "/shop/limited", answer: "limited" }];
