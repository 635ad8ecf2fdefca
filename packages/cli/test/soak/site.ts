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
