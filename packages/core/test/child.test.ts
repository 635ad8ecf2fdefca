// Real programs: what a child gets, and how it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { requires } from "../../../scripts/testing/requires.ts";
import { type Child, type ChildOptions, createLogger, spawnChild } from "../src/node/index.ts";
import { gone, runs } from "./processes.ts";

const children: Child[] = [];
const logged: Record<string, unknown>[] = [];
const log = createLogger({ format: "json", level: "trace", destination: (line) => logged.push(JSON.parse(line)) });

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop(0)));
  logged.length = 0;
});

async function run(script: string, options: Partial<ChildOptions> = {}): Promise<Child> {
  const child = await spawnChild({
    command: ["/bin/sh", "-c", script],
    env: { PATH: "/usr/bin:/bin" },
    log,
    ...options,
  });
  children.push(child);
  return child;
}

const output = (child: Child): Promise<string> => text(child.stdout as NodeJS.ReadableStream);

/** The first line a child writes; it goes on running. */
async function firstLine(child: Child): Promise<string> {
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return String(chunk).trim();
}

describe("what a program gets", () => {
  test("R-C5: exactly the environment it is given", async () => {
    const child = await spawnChild({
      command: ["/usr/bin/env"],
      env: { A: "1", EMPTY: "", "NAME WITH BLANK": "é" },
      stdout: "pipe",
      log,
    });
    expect((await output(child)).trim().split("\n").sort()).toEqual(["A=1", "EMPTY=", "NAME WITH BLANK=é"]);
  });

  requires("/proc/self/fd")("R-C20: the descriptors 0, 1 and 2 only, although we inherited others", async () => {
    const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);
    const script = `
      const { spawnChild, createLogger } = await import(${entry});
      const child = await spawnChild({ command: ["/bin/ls", "-l", "/proc/self/fd"], env: {}, stdout: "pipe", log: createLogger() });
      child.stdout.pipe(process.stdout);
    `;
    const secret = openSync("/etc/passwd", "r");
    const stdio: ("ignore" | "pipe" | "inherit" | number)[] = ["ignore", "pipe", "inherit"];
    while (stdio.length < 60) stdio.push("ignore");
    stdio[60] = secret; // beyond what Node itself marks close-on-exec
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio });
    const listing = await text(parent.stdout as NodeJS.ReadableStream);
    closeSync(secret);
    expect(listing).toMatch(/\b0 -> /);
    expect(listing).not.toContain("/etc/passwd");
    const others = [...listing.matchAll(/ (\d+) -> (\S+)/g)].filter(
      ([, fd, target]) => Number(fd) > 2 && target !== "/dev/null" && !target?.startsWith("/proc/"), // ls reading
    );
    expect(others).toEqual([]);
  });

  test("a process group of its own", async () => {
    const child = await run("ps -o pgid= -p $$ || cut -d' ' -f5 /proc/$$/stat", { stdout: "pipe" });
    expect(Number(await output(child))).toBe(child.pid);
  });

  test("its working directory, its input, and descriptor 3 as a socket to us when asked", async () => {
    const child = await run("pwd; cat; echo ready >&3", { cwd: "/", stdin: "pipe", stdout: "pipe", control: true });
    child.stdin?.end("input");
    expect(await output(child)).toBe("/\ninput");
    expect(await text(child.control as NodeJS.ReadableStream)).toBe("ready\n");
  });

  test("what it wrote is there for whoever reads it only after its end", async () => {
    const child = await run("seq 10000; echo late >&3", { stdout: "pipe", control: true });
    await child.exited;
    await new Promise((done) => setImmediate(done));
    expect((await output(child)).trim().split("\n")).toHaveLength(10_000);
    expect(await text(child.control as NodeJS.ReadableStream)).toBe("late\n");
  });

  test("standard error goes to the log, line by line, and the end of it to whoever asks how it ended", async () => {
    const child = await run("echo one; echo two >&2; printf three >&2; exit 3");
    expect(await child.exited).toEqual({ code: 3, signal: null, timedOut: false, stderr: "two\nthree" });
    await child.stop();
    expect(logged.map(({ level, stream, msg }) => [level, stream, msg])).toEqual(
      expect.arrayContaining([
        ["info", "stdout", "one"],
        ["warn", "stderr", "two"],
        ["warn", "stderr", "three"],
      ]),
    );
  });

  test("R-C15: it may close its input and answer all the same", async () => {
    const child = await run("exec <&-; echo answer", { stdin: "pipe", stdout: "pipe" });
    child.stdin?.write(new Uint8Array(1_000_000));
    expect(await output(child)).toBe("answer\n");
    expect(await child.exited).toMatchObject({ code: 0 });
  });
});

describe("what cannot be started", () => {
  test.each([
    ["a program that is not there", { command: ["/no/such/program"] as const }, "ENOENT"],
    ["a file that is not executable", { command: ["/etc/passwd"] as const }, "EACCES"],
    ["a directory that is not there", { command: ["/bin/true"] as const, cwd: "/no/such" }, "ENOENT"],
    ["an argument with a NUL", { command: ["/bin/true", "a\0b"] as const }, "ERR_INVALID_ARG_VALUE"],
  ])("is refused with its reason: %s", async (_, options, code) => {
    const starting = spawnChild({ env: {}, log, ...options });
    await expect(starting).rejects.toMatchObject({ code: "GW_SPAWN", status: 502, cause: { code } });
  });
});

describe("how a program ends", () => {
  test("R-C13: TERM first", async () => {
    const child = await run(`trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done`, { stdout: "pipe" });
    expect(await firstLine(child)).toBe("up");
    expect(await child.stop()).toMatchObject({ code: 7, signal: null });
  });

  test("R-C13: KILL to the whole group when TERM is ignored", async () => {
    const child = await run(`trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000`, { stdout: "pipe" });
    const grandchild = Number(await firstLine(child));
    expect(await child.stop(50)).toMatchObject({ code: null, signal: "SIGKILL" });
    expect([runs(child.pid), runs(grandchild)]).toEqual([false, false]);
  });

  test("R-C13: at its time limit", async () => {
    const child = await run("exec sleep 1000", { timeLimitMs: 30 });
    expect(await child.exited).toMatchObject({ signal: "SIGTERM", timedOut: true });
  });

  test("what it left behind ends with it", async () => {
    const child = await run("sleep 1000 & echo $!", { stdout: "pipe" });
    const grandchild = Number(await firstLine(child));
    expect(await child.exited).toMatchObject({ code: 0 });
    await gone(grandchild);
  });

  test("R-C18: what a CGI program left behind may finish, within the time limit", async () => {
    const script = "(trap '' HUP; echo late; exec sleep 1000) & echo $!";
    const child = await run(script, { stdout: "pipe", leftovers: "keep", timeLimitMs: 300 });
    const chunks: string[] = [];
    child.stdout?.on("data", (chunk) => chunks.push(String(chunk)));
    expect(await child.exited).toMatchObject({ code: 0, timedOut: false });
    const grandchild = Number(/^\d+$/m.exec(chunks.join(""))?.[0]);
    expect(runs(grandchild)).toBe(true);
    await once(child.stdout as NodeJS.ReadableStream, "close"); // the limit
    expect(chunks.join("")).toContain("late");
    await gone(grandchild);
  });

  requires("setsid")("stop settles although a process outside the group holds its streams", async () => {
    const child = await run("setsid sleep 1000 & echo $!; exec sleep 1000", { stdout: "pipe", leftovers: "keep" });
    const outsider = Number(await firstLine(child));
    expect(await child.stop(20)).toMatchObject({ signal: "SIGTERM" });
    expect(child.stdout?.destroyed).toBe(true);
    if (runs(outsider)) process.kill(outsider, "SIGKILL");
  });

  requires("/proc/self/status")("R-C20: leaves no zombie", async () => {
    await Promise.all(Array.from({ length: 20 }, () => run("exit 0").then(({ exited }) => exited)));
    const zombies = readdirSync("/proc").filter((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const status = readFileSync(`/proc/${name}/status`, "latin1");
        return status.includes(`PPid:\t${process.pid}\n`) && /^State:\s+Z/m.test(status);
      } catch {
        return false;
      }
    });
    expect(zombies).toEqual([]);
  });

  test("its group is killed when our process exits", async () => {
    const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);
    const script = `
      const { spawnChild, createLogger } = await import(${entry});
      const child = await spawnChild({ command: ["/bin/sh", "-c", "trap '' TERM; sleep 1000 & echo $!; wait"], env: {}, stdout: "pipe", log: createLogger() });
      child.stdout.once("data", (line) => { console.log(child.pid, String(line)); process.exit(0); });
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pids = (await text(parent.stdout)).trim().split(/\s+/).map(Number);
    expect(pids).toHaveLength(2);
    await Promise.all(pids.map(gone));
  });

  test("a guarded group is ended when our process is killed", async () => {
    const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);
    const script = `
      const { spawnChild, createLogger } = await import(${entry});
      const run = (guarded) => spawnChild({ command: ["/bin/sh", "-c", "sleep 1000 & echo $!; wait"], env: {}, stdout: "pipe", log: createLogger(), guarded });
      const children = [await run(true), await run(true), await run(true)];
      const lines = children.map(({ stdout }) => new Promise((done) => stdout.once("data", (line) => done(String(line).trim()))));
      const grandchildren = await Promise.all(lines);
      await children[1].stop();
      console.log(children[0].pid, children[2].pid, ...grandchildren);
      process.kill(process.pid, "SIGKILL");
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pids = (await text(parent.stdout)).trim().split(/\s+/).map(Number);
    expect(pids).toHaveLength(5);
    await Promise.all(pids.map(gone));
  });

  requires("/proc/self/stat")(
    "the shell that guards is gone when nothing is to be guarded, and keeps nobody from ending",
    async () => {
      const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);
      const script = `
      const { spawnChild, createLogger } = await import(${entry});
      const { readdirSync, readFileSync } = await import("node:fs");
      const parentOf = (pid) => { try { return readFileSync("/proc/" + pid + "/stat", "latin1").split(") ")[1].split(" ")[1]; } catch { return ""; } };
      const children = () => readdirSync("/proc").filter((pid) => parentOf(pid) === String(process.pid)).length;
      const child = await spawnChild({ command: ["/bin/sh", "-c", "read forever"], env: {}, stdin: "pipe", log: createLogger(), guarded: true });
      const during = children();
      await child.stop();
      while (children() > 0) await new Promise(setImmediate);
      console.log(during);
    `;
      const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      expect((await text(parent.stdout)).trim()).toBe("2");
    },
  );
});
