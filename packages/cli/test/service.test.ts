// Under systemd: real systemd-socket-activate and systemd-notify.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { freePort } from "@gw-private/free-port";
import { requires } from "@gw-private/requires";
import { describe, expect, onTestFinished } from "vitest";
import { bareEnvironment, command, type Folder, folderWith, serving } from "./gw.ts";

const app = `import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { text } from "@gw/core";
const zombies = () => readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).filter((pid) => {
  try { return /^\\d+ \\(.*\\) Z/.test(readFileSync("/proc/" + pid + "/stat", "utf8")); } catch { return false; }
}).length;
export default async (request) => {
  if (request.path === "/orphan") {
    const parent = spawn("/bin/sh", ["-c", "(sleep 0.1; exit 0) & exit 0"]);
    await new Promise((done) => parent.on("exit", done));
    await new Promise((done) => setTimeout(done, 400));
  }
  return text(String(zombies()));
};
`;

/** Collects what a program writes to standard error until it has said something. */
function started(program: string, args: readonly string[], folder: Folder, env: Record<string, string> = {}) {
  const child = spawn(program, args, { cwd: folder.path, env: { ...bareEnvironment(), ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  const waiting = new Set<() => void>();
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (const look of waiting) look();
  });
  const says = (what: RegExp): Promise<RegExpExecArray> =>
    new Promise((done) => {
      const look = (): void => {
        const found = what.exec(text);
        if (found === null) return;
        waiting.delete(look);
        done(found);
      };
      waiting.add(look);
      look();
    });
  const ended = new Promise<number | null>((done) => child.on("exit", (code) => done(code)));
  return { child, says, ended };
}

describe("systemd", () => {
  for (const words of [[], ["-w", "2"]]) {
    const title = `serves on the socket it is given, ${words.length === 0 ? "alone" : "with workers"}`;
    requires("systemd-socket-activate")(title, async () => {
      const folder = folderWith({ "app.mjs": app });
      const port = await freePort();
      const gw = [process.execPath, command, "serve", "app.mjs", "--no-access-log", ...words];
      const { child, says, ended } = started("systemd-socket-activate", ["-l", `127.0.0.1:${port}`, ...gw], folder);
      await says(/Listening on/);
      // The first connection starts the service and waits for it.
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/^\d+$/);
      await says(new RegExp(`gw: listening on http://127\\.0\\.0\\.1:${port}\n`));
      child.kill("SIGTERM");
      expect(await ended).toBe(0);
    });
  }

  requires("systemd-notify", "python3")("hears of readiness, reloads, signs of life and the end", async () => {
    const folder = folderWith({ "app.mjs": app });
    const socket = join(folder.path, "notify.sock");
    const listener = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
print("bound", file=sys.stderr, flush=True)
while True: print(s.recv(4096).decode(), file=sys.stderr, flush=True)
`;
    const heard = started("python3", ["-c", listener, socket], folder);
    await heard.says(/bound/);
    const environment = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "400000" };
    const server = await serving(folder, ["serve", "app.mjs", "-p", "0"], { environment });
    await heard.says(new RegExp(`READY=1\nMAINPID=${server.pid}\n`));
    await heard.says(/WATCHDOG=1/);
    server.kill("SIGHUP");
    await heard.says(/RELOADING=1\nMONOTONIC_USEC=\d+\n(?:.|\n)*READY=1/);
    server.kill("SIGTERM");
    await heard.says(/STOPPING=1/);
    expect(await server.ended).toBe(0);
  });
});
