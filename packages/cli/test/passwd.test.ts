// `gw passwd` as administrators use it: files that Apache's htpasswd and our layers read, and passwords that nobody sees.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { verifyPassword } from "@gw/middleware/passwords";
import { requires } from "@gw-private/requires";
import { describe, expect, test } from "vitest";
import { bareEnvironment, command, folderWith, gw } from "./gw.ts";

const FILE = "# staff\nann:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=\n";
const hashIn = (text: string, user: string): string => new RegExp(`^${user}:(.*)$`, "m").exec(text)?.[1] ?? "";

describe("a password", () => {
  test("on standard input goes into a new file as bcrypt, readable for the owner only", async () => {
    const folder = folderWith();
    const { code, stdout, stderr } = await gw(folder, ["passwd", "-c", "users", "ann"], { input: "öpen sesame\n" });
    expect([code, stdout, stderr]).toEqual([0, "added ann in users\n", ""]);
    const text = readFileSync(join(folder.path, "users"), "utf8");
    expect(text).toMatch(/^ann:\$2[by]\$12\$[./A-Za-z0-9]{53}\n$/);
    expect(await verifyPassword("öpen sesame", hashIn(text, "ann"))).toBe(true);
    expect(await verifyPassword("open sesame", hashIn(text, "ann"))).toBe(false);
    expect(statSync(join(folder.path, "users")).mode & 0o777).toBe(0o600);
  });

  test("replaces the user's, keeps everybody else's, the file's rights and a link to it", async () => {
    const folder = folderWith({ "real/users": FILE });
    const real = join(folder.path, "real/users");
    chmodSync(real, 0o640);
    symlinkSync(real, join(folder.path, "users"));
    for (const [user, said] of [
      ["bob", "added"],
      ["ann", "changed"],
    ]) {
      const { code, stdout } = await gw(folder, ["passwd", "users", user as string], { input: "secret" });
      expect([code, stdout]).toEqual([0, `${said} ${user} in users\n`]);
    }
    const text = readFileSync(real, "utf8");
    expect(text.replace(/\$2.*/g, "…")).toBe("# staff\nann:…\nbob:…\n");
    expect(await verifyPassword("secret", hashIn(text, "ann"))).toBe(true);
    expect(lstatSync(join(folder.path, "users")).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(folder.path, "real"))).toEqual(["users"]);
  });

  test("can be hashed with scrypt instead", async () => {
    const folder = folderWith({ users: "" });
    expect((await gw(folder, ["passwd", "users", "ann", "--algorithm", "scrypt"], { input: "secret" })).code).toBe(0);
    const hash = hashIn(readFileSync(join(folder.path, "users"), "utf8"), "ann");
    expect(hash).toMatch(/^\$scrypt\$/);
    expect(await verifyPassword("secret", hash)).toBe(true);
  });

  requires("htpasswd")("is one that Apache's htpasswd knows, and the other way round", async () => {
    const folder = folderWith();
    await gw(folder, ["passwd", "-c", "users", "ann"], { input: "secret" });
    const users = join(folder.path, "users");
    execFileSync("htpasswd", ["-vb", users, "ann", "secret"], { stdio: "pipe" });
    expect(() => execFileSync("htpasswd", ["-vb", users, "ann", "wrong"], { stdio: "pipe" })).toThrow();
    execFileSync("htpasswd", ["-bB", users, "bob", "other"], { stdio: "pipe" });
    expect((await gw(folder, ["passwd", "-D", "users", "ann"])).code).toBe(0);
    const text = readFileSync(users, "utf8");
    expect(text).not.toContain("ann");
    expect(await verifyPassword("other", hashIn(text, "bob"))).toBe(true);
  });

  requires("python3")("typed at a terminal is asked for twice and not shown", async () => {
    const folder = folderWith();
    const terminal = (words: string[]) =>
      atTerminal([process.execPath, command, "passwd", "-c", "users", "ann"], words, folder.path);
    const differing = await terminal(["secret", "secert"]);
    expect([differing.code, differing.shown]).toEqual([
      1,
      "New password: \r\nThe same again: \r\ngw: the two passwords differ\r\n",
    ]);
    expect(existsSync(join(folder.path, "users"))).toBe(false);
    const same = await terminal(["sex\u007fcret", "nothing\u0015secret"]);
    expect([same.code, same.shown]).toEqual([0, "New password: \r\nThe same again: \r\nadded ann in users\r\n"]);
    expect(await verifyPassword("secret", hashIn(readFileSync(join(folder.path, "users"), "utf8"), "ann"))).toBe(true);
    const broken = await atTerminal([process.execPath, command, "passwd", "users", "bob"], ["\u0003"], folder.path);
    expect([broken.code, broken.shown]).toEqual([1, "New password: \r\ngw: broken off; nothing was changed\r\n"]);
  });
});

/** Runs a command at a terminal of its own, and types a line at each question. */
async function atTerminal(
  words: string[],
  lines: string[],
  cwd: string,
): Promise<{ code: number | null; shown: string }> {
  const program = `
import os, pty, sys, json
words, lines = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(words[0], words)
shown = b""
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    shown += chunk
    if shown.endswith(b": ") and lines:
        line = lines.pop(0)
        os.write(fd, line.encode() + (b"" if line == "\\x03" else b"\\r"))
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  const child = spawn("python3", ["-c", program, JSON.stringify([words, lines])], {
    cwd,
    env: bareEnvironment(),
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 15_000,
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, shown };
}

describe("nothing changes", () => {
  test.each<[string, string[], string, number, string]>([
    ["without --create where there is no file", ["none", "ann"], "x", 1, "none is not there; --create makes it"],
    ["with --create where there is one", ["-c", "users", "ann"], "x", 1, "users is there already"],
    ["for an empty password", ["users", "ann"], "\n", 2, "the password is empty"],
    ["for two lines", ["users", "ann"], "a\nb\n", 2, "several lines"],
    ["for a password that bcrypt would cut", ["users", "ann"], "x".repeat(73), 1, "bcrypt takes at most 72 bytes"],
    ["for a name with a colon", ["users", "a:b"], "x", 2, "is no user name"],
    ["for a user who is not there to be taken out", ["-D", "users", "eve"], "", 1, "eve is not in users"],
    ["for both at once", ["-c", "-D", "users", "ann"], "", 2, "exclude each other"],
    ["for a password as an argument", ["users", "ann", "secret"], "", 2, "the password is no argument"],
    ["without a user", ["users"], "", 2, "name the htpasswd file and the user"],
    ["for an unknown algorithm", ["--algorithm", "md5", "users", "ann"], "x", 2, "bcrypt"],
  ])("%s", async (_why, args, input, code, said) => {
    const folder = folderWith({ users: FILE });
    const ended = await gw(folder, ["passwd", ...args], { input });
    expect([ended.code, ended.stdout]).toEqual([code, ""]);
    expect(ended.stderr).toContain(said);
    if (input.length > 1) expect(ended.stderr).not.toContain(input.trim());
    expect(readFileSync(join(folder.path, "users"), "utf8")).toBe(FILE);
    expect(existsSync(join(folder.path, "none"))).toBe(false);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("users"))).toEqual(["users"]);
  });

  test("while somebody else is changing the file", async () => {
    const folder = folderWith({ users: FILE, "users.new": "" });
    const { code, stderr } = await gw(folder, ["passwd", "users", "ann"], { input: "x" });
    expect([code, stderr]).toEqual([1, expect.stringContaining("somebody else is changing")]);
    expect(readFileSync(join(folder.path, "users"), "utf8")).toBe(FILE);
    expect(existsSync(join(folder.path, "users.new"))).toBe(true);
  });
});
