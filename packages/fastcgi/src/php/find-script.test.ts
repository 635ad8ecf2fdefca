import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findScript, Site } from "./find-script.ts";
import { isBelow, scriptText } from "./script-text.ts";

let folder = "";
let site: Site;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gw-site-"));
  const root = join(folder, "root");
  await mkdir(join(root, "sub/dir.php"), { recursive: true });
  await mkdir(join(root, ".hidden"));
  for (const name of ["index.php", "sub/page.php", "sub/dir.php/in.php", "upload.jpg", ".hidden/x.php", ".php"]) {
    await writeFile(join(root, name), "");
  }
  await writeFile(join(folder, "outside.php"), "");
  await symlink(join(folder, "outside.php"), join(root, "link.php"));
  await symlink(join(root, "index.php"), join(root, "inner.php"));
  site = new Site(root, [".php"]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("R-F11: the script of a path", () => {
  test.each([
    ["/index.php", "/index.php", ""],
    ["/index.php/", "/index.php", "/"],
    ["/index.php/a/b.php", "/index.php", "/a/b.php"],
    ["/sub/page.php/x", "/sub/page.php", "/x"],
    ["/sub/dir.php/in.php/rest", "/sub/dir.php/in.php", "/rest"],
    ["/inner.php", "/inner.php", ""],
  ])("%s is %s and %j", async (path, script, pathInfo) => {
    const realPath = path.startsWith("/inner.php") ? "/index.php" : script;
    expect(await findScript(path, [".php"], site)).toEqual({ script, pathInfo, realPath });
  });

  test.each([
    "/",
    "/upload.jpg/x.php",
    "/upload.jpg/",
    "/none.php",
    "/none.php/index.php",
    "/index.PHP",
    "/link.php",
    "/.hidden/x.php",
    "/.php",
    "/sub/dir.php",
    "/index.php\0.jpg",
    "/\u00ff.php",
  ])("%j is none", async (path) => {
    expect(await findScript(path, [".php"], site)).toBe(null);
  });
});

test("the text of a script is known under any name", () => {
  const source = scriptText([".php", ".cgi+"]);
  const names =
    "a.php a.PHP a.phtml a.phar a.php5 a.phps a.php~ a.php.bak a.php-bak a.php- a.php,v #a.php# a.pht a.phpt a.inc a.php_old";
  for (const name of [
    ...names.split(" "),
    "a.php (copy)",
    "a.php ",
    "a.php5.txt",
    "readme.php.txt",
    "x.cgi+",
    "a.php\u00e9",
  ]) {
    expect(source.test(`/${name}`), name).toBe(true);
  }
  for (const name of [
    "a.txt",
    "php",
    "php.png",
    "a.phpinfo.txt",
    "a.php/b.txt",
    "graph.pdf",
    "a.include",
    "x.cgii",
    "incs.css",
  ]) {
    expect(source.test(`/${name}`), name).toBe(false);
  }
});

test("a file is known by the file that it links to, and hidden with it", async () => {
  await symlink(join(folder, "root/index.php"), join(folder, "root/link.txt"));
  await symlink(join(folder, "root/.hidden/x.php"), join(folder, "root/hidden.txt"));
  expect(await site.entry("/link.txt")).toEqual({ kind: "source", realPath: "/index.php" });
  expect(await site.entry("/hidden.txt")).toBe(null);
  expect(await site.entry("/upload.jpg")).toEqual({ kind: "file", realPath: "/upload.jpg" });
});

test("a path lies below a folder however it is written", () => {
  for (const path of ["/up/x", "//up//x", "/UP/x", "/a/../up/x", "/up/./x"]) {
    expect(isBelow(path, ["/up/"]), path).toBe(true);
  }
  for (const path of ["/upx", "/up", "/up/../x", "/a/up/x"]) expect(isBelow(path, ["/up/"]), path).toBe(false);
});
