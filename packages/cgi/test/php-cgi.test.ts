// phpCgi with a real php-cgi.
import { createHash, randomBytes } from "node:crypto";
import { symlinkSync } from "node:fs";
import { type App, compose, withPrincipal } from "@gw/core";
import { request } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { expect, test } from "vitest";
import { phpCgi } from "../src/index.ts";
import { temporaryDirectory, writePrograms } from "./programs.ts";
import { onEverySpawner } from "./spawners.ts";

const root = writePrograms(temporaryDirectory(), {
  "index.php": "<?php echo 'index ', $_SERVER['SCRIPT_NAME'];",
  "shop/index.php": "<?php echo getcwd();",
  "env.php": "<?php header('Content-Type: application/json'); echo json_encode($_SERVER);",
  "args.php": "<?php header('Content-Type: application/json'); echo json_encode([$argv ?? null, $_GET]);",
  "status.php":
    "<?php http_response_code(418); header('X-A: 1'); setcookie('a', '1'); setcookie('b', '2'); echo 'tea';",
  "moved.php": "<?php header('Location: https://example.org/');",
  "fails.php": "<?php throw new Exception('s3cret');",
  "upload.php":
    "<?php $f = $_FILES['file']; header('Content-Type: application/json'); echo json_encode([$f['name'], $f['error'], filesize($f['tmp_name']), hash_file('sha256', $f['tmp_name']), $_POST['note']]);",
  "photo.jpg": "<?php echo 'run';",
  "script.sh": "#!/bin/sh\necho run\n",
  ".secret.php": "<?php echo 'run';",
});
const ini = writePrograms(temporaryDirectory(), {
  "php.ini": "display_errors = 0\npost_max_size = 100M\nupload_max_filesize = 100M\n",
});
symlinkSync("/etc/passwd", `${root}/passwd.php`);

onEverySpawner((spawner) => {
  const app: App = phpCgi({ root, spawner, env: { PHPRC: `${ini}/php.ini` } });

  requires("php-cgi")("a script answers, an index for its directory, with its own working directory", async () => {
    expect((await request(app, "/php/", { mount: "/php" })).text()).toBe("index /php/index.php");
    expect((await request(app, "/shop/")).text()).toBe(`${root}/shop`);
    expect((await request(app, "/shop")).status).toBe(308);
  });

  requires("php-cgi")("R-C1: a script sees the variables PHP programs expect", async () => {
    const user: App = {
      handle: compose(
        [(next) => (asked) => next(withPrincipal(asked, { user: "안녕", type: "Basic", groups: [], claims: {} }))],
        app,
      ).handle,
    };
    const answer = await request(user, "/php/env.php/a%20b/c?x=1", {
      mount: "/php",
      headers: { Proxy: "http://evil.example" },
    });
    expect(answer.json()).toMatchObject({
      SCRIPT_FILENAME: `${root}/env.php`,
      SCRIPT_NAME: "/php/env.php",
      PATH_INFO: "/a b/c",
      DOCUMENT_ROOT: root,
      QUERY_STRING: "x=1",
      REQUEST_URI: "/php/env.php/a%20b/c?x=1",
      REMOTE_USER: "안녕",
      AUTH_TYPE: "Basic",
    });
    expect(answer.json()).not.toHaveProperty("HTTP_PROXY");
  });

  requires("php-cgi")("status, headers and repeated cookies of a script arrive", async () => {
    const answer = await request(app, "/status.php");
    expect([answer.status, answer.text(), answer.headers.get("x-a")]).toEqual([418, "tea", "1"]);
    expect(answer.headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
    const moved = await request(app, "/moved.php");
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "https://example.org/"]);
  });

  requires("php-cgi")("R-C4: no query is a command line of php-cgi", async () => {
    for (const query of ["-s", "-d+auto_prepend_file%3d/etc/passwd", "-n+-r+phpinfo();", "%ADs"]) {
      const answer = await request(app, `/args.php?${query}`);
      expect(answer.text(), query).not.toMatch(/<\?php|root:|PHP Version|<code>/);
      expect(answer.status, query).toBe(200);
    }
  });

  requires("php-cgi")(
    "R-F11, R-C12: only existing scripts inside the root run, whatever the path ends in",
    async () => {
      for (const path of [
        "/photo.jpg",
        "/photo.jpg/x.php",
        "/script.sh",
        "/.secret.php",
        "/passwd.php",
        "/none.php",
        "/none.php/index.php",
      ]) {
        expect((await request(app, path)).status, path).toBe(404);
      }
      expect((await request(app, "/%2e%2e/env.php")).status).toBe(400);
    },
  );

  requires("php-cgi")("a script that fails is a 500, and its message does not reach the client", async () => {
    const answer = await request(app, "/fails.php");
    expect([answer.status, answer.text()]).toEqual([500, ""]);
  });

  requires("php-cgi")("a form upload of 50 MiB arrives whole", async () => {
    const file = randomBytes(50 * 1024 * 1024);
    const edge = "----gw";
    const body = Buffer.concat([
      Buffer.from(`--${edge}\r\nContent-Disposition: form-data; name="note"\r\n\r\n안녕\r\n`),
      Buffer.from(`--${edge}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n`),
      file,
      Buffer.from(`\r\n--${edge}--\r\n`),
    ]);
    const answer = await request(app, "/upload.php", {
      method: "POST",
      body,
      headers: { "Content-Type": `multipart/form-data; boundary=${edge}` },
      maxBodyBytes: 100_000_000,
    });
    expect(answer.json()).toEqual(["a.bin", 0, file.length, createHash("sha256").update(file).digest("hex"), "안녕"]);
  });
});

test("a root that is no directory stops the start", async () => {
  await expect(request(phpCgi({ root: "/etc/passwd" }))).rejects.toMatchObject({ code: "GW_CGI_OPTION" });
});
