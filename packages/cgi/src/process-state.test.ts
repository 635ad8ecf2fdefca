import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
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

/** Forks children that end at once; says of each whether it counted as running when its output had ended. */
const FORKS = `
import os, sys
source = open(sys.argv[1]).read()
assert source.endswith("\\nmain()\\n")
exec(source[: -len("main()\\n")])
for _ in range(50):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    os.close(writer)
    assert os.read(reader, 1) == b""
    print(is_running(pid))
    os.waitpid(pid, 0)
    os.close(reader)
print(is_running(os.getpid()))
`;

requires("python3", "/proc/self/stat")("the Python broker sees it the same way", () => {
  const broker = join(import.meta.dirname, "../py/gw_broker.py");
  const said = execFileSync("python3", ["-I", "-S", "-c", FORKS, broker], { encoding: "utf8", timeout: 15_000 });
  expect(said.trim().split("\n")).toEqual([...Array.from({ length: 50 }, () => "False"), "True"]);
});
