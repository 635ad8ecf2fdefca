// What is left of us when we are killed: nothing that runs, and no sockets (R-O14).
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { gone, runs } from "./processes.ts";

const model = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);

interface Killed {
  readonly pids: readonly number[];
  /** Holds the folders of its backends, and nothing else. */
  readonly folder: string;
  readonly rooms: readonly string[];
}

/** Runs programs with files, at sockets of their own and at a shared one, does `more`, is killed; settles when its guard has ended. */
async function killedWith(more: string): Promise<Killed> {
  const folder = mkdtempSync(join(tmpdir(), "gw-guard-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = `
    const { superviseBackend } = await import(${entry});
    const { silentLogger } = await import(${model});
    const { mkdirSync, readdirSync, readFileSync } = await import("node:fs");
    const { join } = await import("node:path");
    const start = (name, socket) => superviseBackend(
      { name, command: ["/bin/sh", "-c", "sleep 1000", "$GW_FILES"], env: {}, processes: 2, socket, ready: "spawn", files: { "a.conf": "a" } },
      { log: silentLogger });
    const backends = [start("own", "own-fd0"), start("shared", "fd0")];
    const all = () => backends.flatMap(({ processes }) => processes);
    while (all().filter(({ state }) => state === "ready").length < 4) await new Promise((done) => setTimeout(done, 5));
    const rooms = readdirSync(process.env.TMPDIR).map((name) => join(process.env.TMPDIR, name));
    ${more}
    const isGuard = (pid) => {
      try {
        const [parent, command] = [readFileSync("/proc/" + pid + "/stat", "latin1").split(") ")[1].split(" ")[1], readFileSync("/proc/" + pid + "/cmdline", "latin1")];
        return parent === String(process.pid) && command.includes("trap");
      } catch { return false; }
    };
    const guard = Number(readdirSync("/proc").find(isGuard));
    console.log(JSON.stringify({ pids: all().map(({ pid }) => pid), rooms, guard }));
    process.kill(process.pid, "SIGKILL");`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { guard, ...killed } = JSON.parse(await text(parent.stdout)) as Killed & { guard: number };
  await gone(guard);
  return { ...killed, folder };
}

const test = requires("/proc/self/stat");

test("R-O14: when our process is killed, its programs end, and their folders with sockets and files go", async () => {
  const { pids, folder, rooms } = await killedWith("");
  expect([pids.length, rooms.length]).toEqual([4, 4]);
  expect(pids.filter(runs)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder that a program made among its sockets stays", async () => {
  const { folder, rooms } = await killedWith(`mkdirSync(join(rooms[0], "theirs"));`);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(readdirSync(rooms[0] as string)).toEqual(["theirs"]);
});

test("R-O14: where a program has put a link in the place of its folder, nothing behind the link is removed", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "gw-elsewhere-"));
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
  for (const name of ["1.sock", "a.conf", "precious"]) writeFileSync(join(elsewhere, name), "kept");
  const swap = `
    const { renameSync, symlinkSync } = await import("node:fs");
    for (const room of rooms) { renameSync(room, room + ".moved"); symlinkSync(${JSON.stringify(elsewhere)}, room); }`;
  const { pids } = await killedWith(swap);
  expect(pids.filter(runs)).toEqual([]);
  expect(readdirSync(elsewhere).toSorted()).toEqual(["1.sock", "a.conf", "precious"]);
});
