import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DirectoryOptions, findProgram } from "./directory.ts";

let base = "";
let root = "";

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "gw-cgi-"));
  root = join(base, "cgi-bin");
  mkdirSync(join(root, "tools"), { recursive: true });
  mkdirSync(join(root, "empty"));
  mkdirSync(join(root, ".git"));
  const files: [string, number][] = [
    ["hello.cgi", 0o755],
    ["plain.txt", 0o644],
    ["script.pl", 0o644],
    ["tools/index.cgi", 0o755],
    ["tools/deep.cgi", 0o755],
    [".hidden", 0o755],
    [".git/hook", 0o755],
    ["안녕.cgi", 0o755],
    ["a b.cgi", 0o755],
    ["../outside.cgi", 0o755],
  ];
  for (const [name, mode] of files) {
    writeFileSync(join(root, name), "#!/bin/sh\n");
    chmodSync(join(root, name), mode);
  }
  symlinkSync("hello.cgi", join(root, "inside-link"));
  symlinkSync("../outside.cgi", join(root, "outside-link"));
  symlinkSync("..", join(root, "up"));
  symlinkSync("loop", join(root, "loop"));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

const find = (path: string, options: Partial<DirectoryOptions> = {}): ReturnType<typeof findProgram> =>
  findProgram({ root, ...options }, path);

describe("the program and the rest of the path", () => {
  test.each([
    ["/hello.cgi", "hello.cgi", "/hello.cgi", ""],
    ["/hello.cgi/", "hello.cgi", "/hello.cgi", "/"],
    ["/hello.cgi/a/b", "hello.cgi", "/hello.cgi", "/a/b"],
    ["/hello.cgi//a/", "hello.cgi", "/hello.cgi", "//a/"],
    ["/tools/deep.cgi/x", "tools/deep.cgi", "/tools/deep.cgi", "/x"],
    ["/a b.cgi", "a b.cgi", "/a b.cgi", ""],
    ["/\xec\x95\x88\xeb\x85\x95.cgi/x", "안녕.cgi", "/\xec\x95\x88\xeb\x85\x95.cgi", "/x"],
  ])("R-C1: %j runs %j as %j with the rest %j", async (path, file, script, pathInfo) => {
    expect(await find(path)).toEqual({ kind: "program", file: join(root, file), interpreter: [], script, pathInfo });
  });

  test("a link to a program inside is that program", async () => {
    expect(await find("/inside-link")).toMatchObject({ file: join(root, "hello.cgi"), script: "/inside-link" });
  });

  test("an extension with an interpreter needs no execute permission", async () => {
    expect(await find("/script.pl/x", { interpreters: { ".pl": ["/usr/bin/perl", "-T"] } })).toMatchObject({
      interpreter: ["/usr/bin/perl", "-T"],
      file: join(root, "script.pl"),
    });
  });

  test("a directory is answered by its index program", async () => {
    expect(await find("/tools/", { index: ["index.pl", "index.cgi"] })).toMatchObject({
      file: join(root, "tools/index.cgi"),
      script: "/tools/index.cgi",
      pathInfo: "",
    });
  });

  test.each(["/tools", ""])("a directory without its slash (%j) is one to redirect", async (path) => {
    expect(await find(path, { index: ["index.cgi"] })).toEqual({ kind: "directory" });
  });
});

describe("what is not run", () => {
  test.each([
    "/missing.cgi",
    "/tools/",
    "/empty/",
    "/../outside.cgi",
    "/tools/../../outside.cgi",
    "/tools/../hello.cgi",
    "/./hello.cgi",
    "//hello.cgi",
    "/outside-link",
    "/up/outside.cgi",
    "/up/cgi-bin/../outside.cgi",
    "/loop",
    "/.hidden",
    "/.git/hook",
    "/hello.cgi\0.txt",
    "/\xff\xfe.cgi",
    "/tools\\deep.cgi",
    "*",
  ])("R-C12: %j is not found", async (path) => {
    await expect(find(path)).rejects.toMatchObject({ code: "GW_CGI_NOT_FOUND", status: 404 });
  });

  test("a name longer than any file's is not found", async () => {
    await expect(find(`/${"x".repeat(5_000)}`)).rejects.toMatchObject({ code: "GW_CGI_NOT_FOUND" });
  });

  test("R-C12: a file without execute permission is refused, never sent", async () => {
    await expect(find("/plain.txt")).rejects.toMatchObject({ code: "GW_CGI_NOT_EXECUTABLE", status: 403 });
    await expect(find("/script.pl")).rejects.toMatchObject({ code: "GW_CGI_NOT_EXECUTABLE" });
  });

  test("R-C12: a device is not a program", async () => {
    await expect(findProgram({ root: "/dev" }, "/null")).rejects.toMatchObject({ code: "GW_CGI_NOT_FOUND" });
  });
});
