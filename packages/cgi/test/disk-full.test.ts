// R-C7, R-O9: the disk of the spool is full.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { shellProgram, temporaryDirectory } from "./programs.ts";
import { onEverySpawner } from "./spawners.ts";

const HOST = join(import.meta.dirname, "apps/small-disk.mjs");

/** Runs the host with a disk of 1 MB, in a mount namespace of its own. */
async function onSmallDisk(directory: string, ...args: string[]): Promise<unknown> {
  const script = `mount -t tmpfs -o size=1m tmpfs ${directory} && TMPDIR=${directory} exec "$@"`;
  const host = spawn("unshare", ["-rm", "sh", "-c", script, "sh", process.execPath, HOST, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 15_000,
  });
  let said = "";
  for await (const chunk of host.stdout) said += chunk;
  return JSON.parse(said);
}

onEverySpawner((spawner) => {
  requires("unshare")(
    "R-C7, R-O9: a body that does not fit is a 507 before any program starts; others before and after are answered",
    async () => {
      const directory = `${temporaryDirectory()}/disk`;
      const mark = `${temporaryDirectory()}/started`;
      mkdirSync(directory);
      const program = shellProgram(
        `echo x >> ${mark}; printf 'Content-Type: text/plain\\n\\n'; echo "$CONTENT_LENGTH"; wc -c`,
      );
      expect(await onSmallDisk(directory, spawner, program)).toEqual({
        came: [
          [200, "300000\n300000\n"],
          [507, null],
          [200, "300000\n300000\n"],
        ],
        files: [],
      });
      expect(readFileSync(mark, "utf8")).toBe("x\nx\n");
    },
  );
});
