import { readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { testRequest } from "@gw/core/testing";
import { expect } from "vitest";
import { cgiProgram } from "../src/index.ts";
import { openDescriptors, zombies } from "./processes.ts";
import { shellProgram, temporaryDirectory } from "./programs.ts";
import { serveApp } from "./serve.ts";
import { type Exceptions, onEverySpawner } from "./spawners.ts";

const fcgiwrapCannot: Exceptions = [
  [/R-C20: programs inherit/, "leaks descriptor 3"],
  [/hundreds of runs/, "ends no program: it neither passes a signal on nor notices that we left"],
];

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
    "R-C20: hundreds of runs, good and bad, leave no descriptor, no zombie and no file behind",
    async () => {
      const good = cgiProgram({ spawner, command: shellProgram(`${HEAD}; cat`) });
      const failing = cgiProgram({ spawner, command: shellProgram(`${HEAD}; echo half; kill -KILL $$`) });
      const hanging = cgiProgram({
        spawner,
        command: shellProgram("sleep 60"),
        headerTimeoutMs: 20,
        stopTimeoutMs: 20,
      });
      const missing = cgiProgram({ spawner, command: "/no/such/program" });
      const client = new AbortController();
      const spoolFiles = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("gw-spool"));
      const round = async (): Promise<void> => {
        for (const app of [good, good, failing, missing, hanging]) {
          const asked = testRequest("/", { method: "POST", body: "x".repeat(100_000), signal: client.signal });
          try {
            const answer = await app.handle(asked);
            if (answer.kind !== "response") throw new TypeError("no response");
            for await (const _ of answer.body as AsyncIterable<Uint8Array>);
          } catch {
            // half of them fail: that is the point
          }
        }
      };
      await round();
      await expect.poll(zombies).toEqual([]);
      const files = spoolFiles();
      const before = openDescriptors().length;
      // GW_SOAK=10000 runs as many programs as R-C20 speaks of.
      const rounds = Math.ceil(Number(process.env.GW_SOAK ?? 300) / 5);
      for (let at = 0; at < rounds; at++) await round();
      await expect.poll(zombies).toEqual([]);
      await expect.poll(() => openDescriptors().length).toBeLessThanOrEqual(before);
      await expect.poll(spoolFiles).toEqual(files);
    },
  );
}, fcgiwrapCannot);
