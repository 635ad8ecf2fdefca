// A Node host under measurement: `node cgi-server.ts PORT PROGRAM HOST MEGABYTES STATS`. HOST is a spawner of ours, or `npm-cgi`.
//
// The megabytes are 16 KiB Buffers that stay alive. SIGUSR2 writes to STATS what the main loop went through since the last one.
import { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { cgiProgram } from "@gw/cgi";
import { serve } from "@gw/http";

const [port = "0", command = "", host = "auto", megabytes = "0", stats = ""] = process.argv.slice(2);
const kept: Buffer[] = [];
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const starts: number[] = [];

/** Takes the time of what starts one program on the main thread: `spawn`, or connecting to the broker. */
function timed(target: object, name: string): void {
  const calls = target as Record<string, (this: unknown, ...all: unknown[]) => unknown>;
  const original = calls[name] as (this: unknown, ...all: unknown[]) => unknown;
  calls[name] = function (...all) {
    const begun = performance.now();
    const result = original.apply(this, all);
    starts.push(performance.now() - begun);
    return result;
  };
}
timed(ChildProcess.prototype, "spawn");
timed(Socket.prototype, "connect");

process.on("SIGUSR2", () => {
  const sorted = starts.splice(0).sort((one, other) => one - other);
  const facts = {
    startMs: sorted[sorted.length >> 1] ?? 0,
    startMostMs: sorted.at(-1) ?? 0,
    delayP99Ms: delay.percentile(99) / 1e6,
    delayMostMs: delay.max / 1e6,
  };
  delay.reset();
  writeFileSync(stats, JSON.stringify(facts));
});

if (host === "npm-cgi") {
  const cgi = createRequire(join(import.meta.dirname, "node_modules/.rivals/package.json"))("cgi") as (
    file: string,
  ) => () => void;
  createServer(cgi(command)).listen(Number(port), "127.0.0.1");
} else {
  const app = cgiProgram({ command, spawner: host as "auto", maxProcesses: 64 });
  await serve(app, { bind: `127.0.0.1:${port}` }).ready;
}
for (let at = 0; at < Number(megabytes) * 64; at++) kept.push(Buffer.alloc(16_384, 1));
