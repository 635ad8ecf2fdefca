// Directory layouts of PHP applications, and paths made to fool them.
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gateway, silentLogger } from "@gw/core";
import { nodeContext } from "@gw/core/node";
import { type RunningApp, run } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type PhpFpmOptions, phpFpm } from "../src/index.ts";

/** Debian names it after its version. */
const phpFpmName =
  ["/usr/sbin", "/usr/local/sbin"]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .find((name) => /^php-fpm[0-9.]*$/.test(name)) ?? "php-fpm";

const variables =
  "<?php header('Content-Type: application/json'); echo json_encode(['script' => basename(__FILE__)] + $_SERVER);";
const files: Record<string, string> = {
  "composer.json": "{}",
  ".env": "APP_KEY=secret",
  "public/index.php": variables,
  "public/app.css": "body {}",
  "public/build/app.js": "1",
  "public/admin/index.php": variables,
  "public/uploads/cat.jpg": "<?php echo 'pwned'; ?>",
  "public/info.php": variables,
};

let folder = "";
const running: RunningApp[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gw-layout-"));
  await chmod(folder, 0o755);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
});

afterAll(async () => {
  for (const app of running) await app.stop();
  await rm(folder, { recursive: true, force: true });
});

async function site(options: Partial<PhpFpmOptions> = {}, at = ""): Promise<RunningApp> {
  const php = phpFpm({ root: join(folder, "public"), start: { command: phpFpmName, maxChildren: 1 }, ...options });
  const app = await run(at === "" ? php : gateway().mount(at, php), { context: nodeContext({ log: silentLogger }) });
  running.push(app);
  return app;
}

const withFpm = requires(phpFpmName);

describe("a front controller in public/ (Laravel, Symfony)", () => {
  withFpm("gets every route with its raw target, files are sent, what lies beside public/ is nobody's", async () => {
    const app = await site({ tryFiles: ["$path", "/index.php"] });
    for (const [target, pathInfo] of [
      ["/", ""],
      ["/users/7/edit?tab=1", ""],
      ["/caf%C3%A9/%2e%2e%2Fx", ""],
      ["/admin", ""],
      ["/index.php/users/7", "/users/7"],
    ] as const) {
      const told = (await app.request(target)).json() as Record<string, string>;
      expect(told, target).toMatchObject({
        REQUEST_URI: target,
        SCRIPT_NAME: "/index.php",
        SCRIPT_FILENAME: join(folder, "public/index.php"),
        DOCUMENT_ROOT: join(folder, "public"),
      });
      expect(told.PATH_INFO, target).toBe(pathInfo);
    }
    expect((await app.request("/app.css")).text()).toBe("body {}");
    expect((await app.request("/build/app.js")).headers.get("content-type")).toContain("javascript");
    for (const target of ["/../.env", "/%2e%2e/composer.json", "/..%2f.env"]) {
      expect((await app.request(target)).text(), target).not.toContain("secret");
    }
  });

  withFpm("under a mount finds itself: SCRIPT_NAME has the mount, the slash of a directory keeps it", async () => {
    const app = await site({ tryFiles: ["$path", "$path/", "/index.php"] }, "/shop");
    const told = (await app.request("/shop/users/7")).json() as Record<string, string>;
    expect(told).toMatchObject({ SCRIPT_NAME: "/shop/index.php", REQUEST_URI: "/shop/users/7" });
    const moved = await app.request("/shop/admin?a=1");
    expect([moved.status, moved.headers.get("location")]).toEqual([301, "/shop/admin/?a=1"]);
    expect((await app.request("/shop/admin/")).json()).toMatchObject({ SCRIPT_NAME: "/shop/admin/index.php" });
  });
});

withFpm("R-M12: the redirect to a directory's slash never leads to another host", async () => {
  const app = await site();
  for (const target of ["//admin", "/\\admin", "//example.com/..//admin"]) {
    const location = (await app.request(target)).headers.get("location") ?? "/";
    expect(location, target).toMatch(/^\/(?![/\\])/);
  }
});

describe("R-F11: paths made to fool PHP", () => {
  withFpm("control bytes are 400 before PHP sees them (CVE-2019-11043)", async () => {
    const app = await site();
    const query = `QQQ${"Q".repeat(1_700)}`;
    for (const path of [
      "/index.php/PHP%0Ais_the_shittiest_lang.php",
      "/index.php%0A/x",
      "/info.php/%0d%0a",
      "/a%00.php",
    ]) {
      expect((await app.request(`${path}?${query}`)).status, path).toBe(400);
    }
    expect((await app.request("/info.php/x")).json(), "and PHP still runs").toMatchObject({ PATH_INFO: "/x" });
  });

  withFpm("an upload is never run, whatever follows its name", async () => {
    const app = await site();
    for (const path of ["/uploads/cat.jpg/x.php", "/uploads/cat.jpg/.php", "/uploads/cat.jpg%2Fx.php"]) {
      const answer = await app.request(path);
      expect([answer.status, answer.text().includes("pwned")], path).toEqual([404, false]);
    }
    const plain = await app.request("/uploads/cat.jpg");
    expect([plain.headers.get("content-type"), plain.text()]).toEqual(["image/jpeg", files["public/uploads/cat.jpg"]]);
  });

  withFpm("PATH_INFO is what follows the script, with its encoded bytes decoded once", async () => {
    const app = await site();
    for (const [path, pathInfo] of [
      ["/info.php/a%2520b", "/a%20b"],
      ["/info.php/%C3%A9/", "/é/"],
      ["/info.php/index.php/x", "/index.php/x"],
      ["/info.php/", "/"],
    ] as const) {
      const told = (await app.request(path)).json() as Record<string, string>;
      expect([told.script, told.PATH_INFO, told.PATH_TRANSLATED], path).toEqual([
        "info.php",
        pathInfo,
        join(folder, "public") + pathInfo,
      ]);
    }
  });
});

describe("R-F11: what is never sent, what never runs", () => {
  const root = (): string => join(folder, "public");

  withFpm("the text of a script is sent under no name and through no link; other files are", async () => {
    const names = [
      "c.php-bak",
      "c.php-",
      "c.php,v",
      "#c.php#",
      "c.php (copy)",
      "page.php ",
      "c.pht",
      "c.phpt",
      "page.inc",
    ];
    for (const name of [...names, "readme.php.txt", "uploads/plain.php.png"]) {
      await writeFile(join(root(), name), "<?php secret");
    }
    for (const name of ["php.png", "a.phpinfo.txt", "style.css"]) await writeFile(join(root(), name), "plain");
    await symlink("../info.php", join(root(), "uploads/x.txt"));
    await symlink("info.php", join(root(), "style.css.gz"));
    const app = await site({ files: { precompressed: true } });
    for (const name of [...names, "readme.php.txt", "uploads/plain.php.png", "uploads/x.txt", "style.css.gz"]) {
      const path = `/${name.split("/").map(encodeURIComponent).join("/")}`;
      expect((await app.request(path)).status, path).toBe(404);
    }
    for (const name of ["php.png", "a.phpinfo.txt"]) expect((await app.request(`/${name}`)).text(), name).toBe("plain");
    const style = await app.request("/style.css", { headers: { "Accept-Encoding": "gzip" } });
    expect([style.headers.get("content-encoding"), style.text()]).toEqual([null, "plain"]);
  });

  withFpm("below noScripts scripts are 404 however they are named, files are sent", async () => {
    await mkdir(join(root(), "media/deep"), { recursive: true });
    await mkdir(join(root(), "store"));
    for (const name of ["media/evil.php", "media/deep/evil.php", "media/index.php", "store/evil.php"]) {
      await writeFile(join(root(), name), "<?php echo 'pwned';");
    }
    await writeFile(join(root(), "media/cat.txt"), "cat");
    await symlink("../info.php", join(root(), "media/out.php"));
    await symlink("media", join(root(), "alias"));
    await symlink("store", join(root(), "linked"));
    const app = await site({ noScripts: ["/media", "/linked/"], tryFiles: ["$path", "$path/", "/index.php"] }, "/shop");
    const paths =
      "/media/evil.php /media/evil.php/x /media/evil.php/ /media/deep/evil.php /media/ /media/out.php /alias/evil.php /linked/evil.php " +
      "/store/evil.php //media/evil.php /media//evil.php /media%2fevil.php /%6dedia/evil.php /x/../media/evil.php /x%2f..%2fmedia/evil.php " +
      "/media/./evil.php /media/%2e/evil.php /media/evil.php%2fx";
    for (const path of paths.split(" ")) {
      const answer = await app.request(`/shop${path}`);
      expect([answer.status, answer.text().includes("pwned")], path).toEqual([404, false]);
    }
    for (const path of ["/MEDIA/evil.php", "/media/evil.PHP", "/media/none.php"]) {
      expect((await app.request(`/shop${path}`)).text(), path).not.toContain("pwned");
    }
    expect((await app.request("/shop/media/cat.txt")).text()).toBe("cat");
    expect((await app.request("/shop/info.php/media/x")).json()).toMatchObject({ PATH_INFO: "/media/x" });
    const open = await site();
    expect((await open.request("/media/evil.php")).text(), "without the option it runs").toBe("pwned");
  });
});
