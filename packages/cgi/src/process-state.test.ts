import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isRunning } from "./process-state.ts";

test("this process runs, one that was reaped does not", async () => {
  expect(isRunning(process.pid)).toBe(true);
  const child = spawn("/bin/true");
  await once(child, "exit");
  expect(isRunning(child.pid as number)).toBe(false);
});

test("a process is on its way out from the moment its output ends, though it cannot be waited for yet", async () => {
  for (let at = 0; at < 20; at++) {
    const child = spawn("/bin/sh", ["-c", "exit 3"], { stdio: ["ignore", "pipe", "ignore"] });
    let whenItEnded: boolean | null = null;
    child.stdout.resume().once("end", () => {
      whenItEnded = isRunning(child.pid as number);
    });
    await once(child, "close");
    expect(whenItEnded).toBe(false);
  }
});
