import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose, mount, silentLogger, withPrincipal } from "@gw/core";
import { nodeContext } from "@gw/core/node";
import { type RunningApp, run } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type PhpFpmOptions, phpFpm } from "../src/index.ts";

/** Debian names it after its version. */
const phpFpmName =
  ["/usr/sbin", "/usr/local/sbin"]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .find((name) => /^php-fpm[0-9.]*$/.test(name)) ?? "php-fpm";

let root = "";
const running: RunningApp[] = [];

const files: Record<string, string> = {
  "index.php": "<?php header('Content-Type: text/plain'); echo 'index of ', $_SERVER['REQUEST_URI'];",
  "vars.php": "<?php header('Content-Type: application/json'); echo json_encode($_SERVER);",
  "echo.php":
    "<?php header('Content-Type: text/plain'); echo strlen(file_get_contents('php://input')), ' ', md5(file_get_contents('php://input'));",
  "upload.php":
    "<?php header('Content-Type: text/plain'); echo $_FILES['f']['name'], ' ', md5_file($_FILES['f']['tmp_name']);",
  "big.php": "<?php header('Content-Type: text/plain'); for ($i = 0; $i < 160; $i++) echo str_repeat('x', 65536);",
  "status.php":
    "<?php http_response_code(418); header('X-One: 1'); header('Set-Cookie: a=1', false); header('Set-Cookie: b=2', false); echo 'tea';",
  "redirect.php": "<?php header('Location: /elsewhere');",
  "error.php": "<?php error_log('from the script'); throw new Exception('secret');",
  "exit.php": "<?php exit(3);",
  "pid.php": "<?php header('Content-Type: text/plain'); echo getmypid();",
  "hello.txt": "static",
  "secret.php~": "<?php secret",
  ".env": "SECRET=1",
  "sub/index.php": "<?php header('Content-Type: text/plain'); echo 'sub';",
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gw-site-"));
  await chmod(root, 0o755);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, ".."), { recursive: true });
    await writeFile(join(root, name), text);
  }
});

afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(async () => {
  for (const app of running.splice(0)) await app.stop();
});

async function site(options: Partial<PhpFpmOptions> = {}): Promise<RunningApp> {
  const context = nodeContext({ log: silentLogger });
  const app = await run(phpFpm({ root, start: { command: phpFpmName }, ...options }), { context });
  running.push(app);
  return app;
}

test("without socket or start, or with both, it says what it needs", () => {
  expect(() => phpFpm({ root })).toThrow('needs "socket"');
  expect(() => phpFpm({ root, start: true, socket: "127.0.0.1:9000" })).toThrow('needs "socket"');
  expect(() => phpFpm({ root, start: true, tryFiles: ["$uri"] })).toThrow("tryFiles");
});

for (const command of [phpFpmName, "php-cgi"]) {
  describe(command, () => {
    const withPhp = requires(command);

    withPhp("runs scripts, sends files, redirects to the slash of a directory, hides what is hidden", async () => {
      const app = await site({ start: { command } });
      expect((await app.request("/")).text()).toBe("index of /");
      expect((await app.request("/sub/")).text()).toBe("sub");
      const bare = await app.request("/sub?x=1");
      expect([bare.status, bare.headers.get("location")]).toEqual([301, "/sub/?x=1"]);
      const file = await app.request("/hello.txt");
      expect([file.text(), file.headers.get("content-type")?.split(";")[0]]).toEqual(["static", "text/plain"]);
      for (const path of ["/.env", "/secret.php~", "/none.php", "/none", "/hello.txt/x.php"]) {
        expect((await app.request(path)).status, path).toBe(404);
      }
      expect((await app.request("/a%01b")).status).toBe(400);
    });

    withPhp("R-F10, R-C1: tells scripts what they need, and nothing of a client's making", async () => {
      const app = await site({ start: { command }, variables: { APP_ENV: "test" } });
      const answer = await app.request("/vars.php/extra/x%20y?a=1&b=%C3%A9", {
        headers: {
          "Script-Filename": "/etc/passwd",
          "PHP-VALUE": "x",
          PHP_ADMIN_VALUE: "x",
          Proxy: "evil",
          "X-Ok": "1",
        },
      });
      expect(answer.json()).toMatchObject({
        SCRIPT_FILENAME: `${root}/vars.php`,
        DOCUMENT_ROOT: root,
        SCRIPT_NAME: "/vars.php",
        PATH_INFO: "/extra/x y",
        QUERY_STRING: "a=1&b=%C3%A9",
        PHP_SELF: "/vars.php/extra/x y",
        HTTP_X_OK: "1",
        APP_ENV: "test",
      });
      for (const name of ["HTTP_PROXY", "PHP_VALUE", "PHP_ADMIN_VALUE", "HTTPS", "REMOTE_USER", "AUTH_TYPE"]) {
        expect(Object.hasOwn(answer.json() as object, name), name).toBe(false);
      }
    });

    withPhp("takes bodies of known and unknown length, and sends large answers", async () => {
      const app = await site({ start: { command } });
      const data = new Uint8Array(3_000_000).fill(97);
      const { createHash } = await import("node:crypto");
      const expected = `3000000 ${createHash("md5").update(data).digest("hex")}`;
      const type = { "Content-Type": "application/octet-stream" };
      expect((await app.request("/echo.php", { method: "POST", body: data, headers: type })).text()).toBe(expected);
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < data.length; at += 100_000) yield data.subarray(at, at + 100_000);
      }
      expect((await app.request("/echo.php", { method: "POST", body: pieces(), headers: type })).text()).toBe(expected);
      expect((await app.request("/big.php")).bytes.length).toBe(160 * 65_536);
    });

    withPhp("passes on statuses, repeated cookies and redirects; an exception shows nothing", async () => {
      const app = await site({ start: { command, ini: { display_errors: "0" } } });
      const tea = await app.request("/status.php");
      expect([tea.status, tea.headers.getAll("set-cookie"), tea.text()]).toEqual([418, ["a=1", "b=2"], "tea"]);
      const moved = await app.request("/redirect.php");
      expect([moved.status, moved.headers.get("location")]).toEqual([302, "/elsewhere"]);
      const failed = await app.request("/error.php");
      expect([failed.status, failed.text().includes("secret")]).toEqual([500, false]);
      expect((await app.request("/exit.php")).status).toBe(200);
      expect((await app.request("/vars.php", { method: "HEAD" })).bytes.length).toBe(0);
    });

    withPhp("a front controller gets what is no file", async () => {
      const app = await site({ start: { command }, tryFiles: ["$path", "$path/", "/index.php"] });
      expect((await app.request("/posts/7?x")).text()).toBe("index of /posts/7?x");
      expect((await app.request("/none.php")).text()).toBe("index of /none.php");
      expect((await app.request("/hello.txt")).text()).toBe("static");
    });

    withPhp("R-F12: long queries and many headers arrive, what cannot is refused by us", async () => {
      const app = await site({ start: { command } });
      const query = `q=${"x".repeat(30_000)}`;
      const headers = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`X-H${at}`, "v".repeat(1_000)]));
      const seen = (await app.request(`/vars.php?${query}`, { headers })).json() as Record<string, string>;
      expect([seen.QUERY_STRING, seen.HTTP_X_H79?.length]).toEqual([query, 1_000]);
      expect((await app.request("/vars.php", { headers: { "X-Long": "x".repeat(66_000) } })).status).toBe(431);
    });
  });
}

const withFpm = requires(phpFpmName);

for (const pm of ["static", "dynamic", "ondemand"] as const) {
  withFpm(`R-F14: pm = ${pm} with one request for each child loses none of 100, POSTs included`, async () => {
    const app = await site({
      start: { command: phpFpmName, pm, maxChildren: 3, maxRequests: 1 },
      maxIdleConnections: 2,
    });
    const statuses: number[] = [];
    const worker = async (): Promise<void> => {
      for (let at = 0; at < 25; at++) {
        const post = at % 2 === 0 ? { method: "POST", body: "x" } : {};
        statuses.push((await app.request("/pid.php", post)).status);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });
}

const withFpmAsRoot = process.getuid?.() === 0 ? withFpm : requires("root privileges");

withFpmAsRoot(
  "a folder that PHP's user may not enter is named at the start, and nothing is said of an open one",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "gw-closed-"));
    const warnings: unknown[][] = [];
    const context = nodeContext({ log: { ...silentLogger, warn: (...words: unknown[]) => void warnings.push(words) } });
    const closed = join(folder, "site");
    await mkdir(closed);
    for (const name of ["pid.php", "hello.txt"]) await writeFile(join(closed, name), files[name] as string);
    try {
      const app = await run(phpFpm({ root: closed, start: { command: phpFpmName } }), { context });
      running.push(app);
      expect(warnings).toEqual([
        [
          { code: "GW_FCGI_PHP_FOLDER", folder, user: "www-data" },
          expect.stringContaining(`PHP runs as www-data, which may not enter ${folder}: every script`),
        ],
      ]);
      expect((await app.request("/hello.txt")).text()).toBe("static");
      const script = await app.request("/pid.php");
      expect([script.status, script.text()]).toEqual([404, "File not found.\n"]);
      await app.stop();
      await chmod(folder, 0o711);
      warnings.length = 0;
      const open = await run(phpFpm({ root: closed, start: { command: phpFpmName } }), { context });
      running.push(open);
      expect((await open.request("/pid.php")).status).toBe(200);
      expect(warnings).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

withFpm("R-C6: the user of our layer is REMOTE_USER, under a mount too", async () => {
  const php = phpFpm({ root, start: { command: phpFpmName } });
  const login = (next: Parameters<ReturnType<typeof mount>>[0]) => (request: Parameters<typeof next>[0]) =>
    next(withPrincipal(request, { user: "ann", type: "Form", groups: [], claims: {} }));
  const app = await run(
    compose([login, mount("/app", php)], () => ({ kind: "response", status: 404, headers: [] as never, body: null })),
    {
      context: nodeContext({ log: silentLogger }),
    },
  );
  running.push(app);
  expect((await app.request("/app/vars.php/x", { headers: { "Remote-User": "mallory" } })).json()).toMatchObject({
    REMOTE_USER: "ann",
    AUTH_TYPE: "Form",
    SCRIPT_NAME: "/app/vars.php",
    PATH_INFO: "/x",
    SCRIPT_FILENAME: `${root}/vars.php`,
  });
});
