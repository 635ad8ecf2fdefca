import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findScript, isScriptText, Site } from "./find-script.ts";

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
  site = new Site(root);
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
    expect(await findScript(path, [".php"], site)).toEqual({ script, pathInfo });
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
  for (const name of ["/a.php", "/a.PHP", "/a.phtml", "/a.phar", "/a.php5", "/a.phps", "/a.php~", "/a.php.bak"]) {
    expect(isScriptText(name), name).toBe(true);
  }
  for (const name of ["/a.txt", "/php", "/a.phpx/b.txt", "/graph.pdf"]) expect(isScriptText(name), name).toBe(false);
});
