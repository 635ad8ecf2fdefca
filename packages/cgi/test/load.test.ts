import { type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { cgiProgram } from "../src/index.ts";
import { shellProgram, temporaryDirectory } from "./programs.ts";
import { serveApp } from "./serve.ts";
import { type Exceptions, onEverySpawner } from "./spawners.ts";

const fcgiwrapCannot: Exceptions = [[/R-C20/, "leaks descriptor 3, and what it inherited itself"]];

onEverySpawner((spawner, { test, requires }) => {
  const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;

  test("R-C21: no more programs run at once than the mount allows; beyond the queue requests are answered 503", async () => {
    const directory = temporaryDirectory();
    const script = `touch ${directory}/$$; while [ ! -e ${directory}/go ]; do sleep 0.01; done; ${HEAD}; rm ${directory}/$$`;
    const { url } = await serveApp(
      cgiProgram({ spawner, command: shellProgram(script), maxProcesses: 2, maxQueued: 4 }),
    );
    const refused: (string | null)[] = [];
    const statuses = Array.from({ length: 12 }, async () => {
      const { status, headers } = await fetch(url);
      if (status === 503) refused.push(headers.get("retry-after"));
      return status;
    });
    await expect.poll(() => refused).toEqual(["5", "5", "5", "5", "5", "5"]);
    await expect.poll(() => readdirSync(directory).length).toBe(2);
    writeFileSync(`${directory}/go`, "");
    expect((await Promise.all(statuses)).filter((status) => status === 200)).toHaveLength(6);
  });

  requires("/proc/self/fd")("R-C20: programs inherit the descriptors 0, 1 and 2 only", async () => {
    const app = cgiProgram({ spawner, command: shellProgram(`${HEAD}; ls /proc/$$/fd`) });
    const { url } = await serveApp(app);
    // The shell itself may hold its script open, above 9.
    const numbers = (await (await fetch(url)).text()).trim().split("\n").map(Number);
    expect(numbers.filter((fd) => fd < 10)).toEqual([0, 1, 2]);
  });

  requires("/proc/self/fd")(
    "R-C20: a descriptor that the gateway inherited itself does not reach programs",
    async () => {
      const found = `${temporaryDirectory()}/descriptors`;
      const command = shellProgram(`ls -l /proc/$$/fd > ${found}; ${HEAD}; echo`);
      const inherited = openSync("/etc/hostname", "r");
      const stdio: StdioOptions = ["ignore", "pipe", "inherit", ...Array(5).fill(inherited)];
      const gateway = spawn(process.execPath, [join(import.meta.dirname, "apps/host.mjs"), spawner, command], {
        stdio,
      });
      onTestFinished(() => {
        gateway.kill("SIGKILL");
        closeSync(inherited);
      });
      await new Promise((answered) => gateway.stdout?.once("data", answered));
      expect(readFileSync(found, "utf8")).not.toContain("/etc/hostname");
    },
  );
}, fcgiwrapCannot);
