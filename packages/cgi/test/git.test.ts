import { execFile, execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { type App, type Handler, withPrincipal } from "@gw/core";
import { request } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { expect, test } from "vitest";
import { type GitHttpBackendOptions, gitHttpBackend, isGitPush } from "../src/index.ts";
import { temporaryDirectory } from "./programs.ts";
import { serveApp } from "./serve.ts";

const environment = {
  PATH: process.env.PATH ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)("git", args, { cwd, env: environment });
  return stdout + stderr;
}

/** A bare repository `project.git` with three commits, below a directory of repositories. */
async function repositories(): Promise<string> {
  const root = temporaryDirectory();
  const work = `${temporaryDirectory()}/work`;
  mkdirSync(work);
  await git(work, "init", "-q", "-b", "main");
  for (const text of ["one", "two", "three"]) {
    writeFileSync(`${work}/file.txt`, `${text}\n`);
    await git(work, "add", ".");
    await git(work, "commit", "-q", "-m", text);
  }
  await git(root, "clone", "-q", "--bare", work, "project.git");
  return root;
}

const asUser =
  (handle: Handler): Handler =>
  (asked) =>
    handle(withPrincipal(asked, { user: "alice", type: "Basic", groups: [], claims: {} }));

const backend = (root: string, options: Partial<GitHttpBackendOptions> = {}): App =>
  gitHttpBackend({ root, exportAll: true, path: environment.PATH, ...options });

requires("git")("a repository is cloned, whole and shallow, with protocol versions 0 and 2", async () => {
  const { url } = await serveApp(backend(await repositories()));
  const target = temporaryDirectory();
  await git(target, "-c", "protocol.version=2", "clone", "-q", `${url}/project.git`, "v2");
  await git(target, "-c", "protocol.version=0", "clone", "-q", `${url}/project.git`, "v0");
  await git(target, "clone", "-q", "--depth", "1", `${url}/project.git`, "shallow");
  expect(readFileSync(`${target}/v2/file.txt`, "utf8")).toBe("three\n");
  expect(await git(`${target}/v0`, "rev-list", "--count", "HEAD")).toBe("3\n");
  expect(await git(`${target}/shallow`, "rev-list", "--count", "HEAD")).toBe("1\n");
  const trace = await git(target, "-c", "protocol.version=2", "ls-remote", `${url}/project.git`);
  expect(trace).toContain("refs/heads/main");
});

requires("git")("the Git-Protocol header reaches git as GIT_PROTOCOL", async () => {
  const answer = await request(backend(await repositories()), "/project.git/info/refs?service=git-upload-pack", {
    headers: { "Git-Protocol": "version=2" },
  });
  expect(answer.text()).toContain("version 2");
  expect(answer.headers.get("content-type")).toBe("application/x-git-upload-pack-advertisement");
});

requires("git")("a push of 2 MiB arrives, chunked and in one piece", async () => {
  const root = await repositories();
  const { url } = await serveApp(asUser(backend(root, { receivePack: true }).handle));
  const work = `${temporaryDirectory()}/work`;
  await git("/", "clone", "-q", `${url}/project.git`, work);
  const big = randomBytes(2 * 1024 * 1024);
  writeFileSync(`${work}/big.bin`, big);
  await git(work, "add", ".");
  await git(work, "commit", "-q", "-m", "big");
  // Beyond http.postBuffer git sends the pack chunked.
  await git(work, "-c", "http.postBuffer=65536", "push", "-q", "origin", "HEAD:chunked");
  await git(work, "-c", "http.postBuffer=100000000", "push", "-q", "origin", "HEAD:whole");
  const pushed = await promisify(execFile)("git", ["show", "chunked:big.bin"], {
    cwd: `${root}/project.git`,
    env: environment,
    encoding: "buffer",
    maxBuffer: 10_000_000,
  });
  expect(createHash("sha1").update(pushed.stdout).digest("hex")).toBe(createHash("sha1").update(big).digest("hex"));
  expect(await git(`${root}/project.git`, "rev-parse", "whole")).toBe(await git(work, "rev-parse", "HEAD"));
});

requires("git")("a gzip body, as git sends when it wants many branches, is understood", async () => {
  const root = await repositories();
  const branches = Array.from(
    { length: 60 },
    (_, at) => `commit refs/heads/topic-${at}\ncommitter a <a@example.org> ${at} +0000\ndata 1\nx\n`,
  );
  execFileSync("git", ["fast-import", "--quiet"], {
    cwd: `${root}/project.git`,
    env: environment,
    input: branches.join("\n"),
  });
  const encodings: (string | null)[] = [];
  const { handle } = backend(root);
  const { url } = await serveApp((asked) => {
    encodings.push(asked.headers.get("content-encoding"));
    return handle(asked);
  });
  const target = temporaryDirectory();
  await git(target, "-c", "protocol.version=0", "clone", "-q", `${url}/project.git`, "clone");
  expect(encodings).toContain("gzip");
  expect((await git(`${target}/clone`, "branch", "-r")).split("\n").length).toBeGreaterThan(60);
});

requires("git")("a push without a user is refused with 403, whatever the repository says", async () => {
  const root = await repositories();
  await git(`${root}/project.git`, "config", "http.receivepack", "true");
  const app = backend(root, { receivePack: true });
  for (const service of ["service=git-receive-pack", "service=git%2Dreceive-pack", "a=1&service=git-receive-pack"]) {
    expect((await request(app, `/project.git/info/refs?${service}`)).status).toBe(403);
  }
  expect((await request(app, "/project.git/git-receive-pack", { method: "POST", body: "0000" })).status).toBe(403);
});

requires("git")("a push is refused where the mount takes none, also from a user", async () => {
  const { url } = await serveApp(asUser(backend(await repositories()).handle));
  const work = `${temporaryDirectory()}/work`;
  await git("/", "clone", "-q", `${url}/project.git`, work);
  await expect(git(work, "push", "-q", "origin", "HEAD:new")).rejects.toThrow(/403/);
});

requires("git")("without exportAll only repositories with git-daemon-export-ok are served", async () => {
  const root = await repositories();
  const app = gitHttpBackend({ root, path: environment.PATH });
  const path = "/project.git/info/refs?service=git-upload-pack";
  expect((await request(app, path)).status).toBe(404);
  writeFileSync(`${root}/project.git/git-daemon-export-ok`, "");
  expect((await request(app, path)).status).toBe(200);
});

requires("git")("a path out of the root is not served", async () => {
  const app = backend(await repositories());
  expect((await request(app, "/../etc/passwd")).status).toBeGreaterThanOrEqual(400);
  expect((await request(app, "/project.git/config")).status).toBeGreaterThanOrEqual(403);
});

test("isGitPush tells pushes from fetches", () => {
  expect(isGitPush({ path: "/a.git/git-receive-pack", query: "" })).toBe(true);
  expect(isGitPush({ path: "/a.git/info/refs", query: "service=git-receive-pack" })).toBe(true);
  expect(isGitPush({ path: "/a.git/info/refs", query: "service=git-upload-pack" })).toBe(false);
});
