// The logger on real descriptors: a slow reader, an early exit, a closed pipe, a file.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);
const preamble = `const { createLogger } = await import(${entry}); const log = createLogger({ format: "json" });`;

/** Runs a script with a FIFO as standard error, as a shell gives; `stdio: "pipe"` of Node would be a socket pair. */
function run(script: string, reader: string) {
  return spawn(
    "/bin/sh",
    ["-c", `exec 5>&1; "$0" --input-type=module -e "$1" 2>&1 1>&3 | { ${reader}; } >&5`, process.execPath, script],
    { stdio: ["ignore", "pipe", "inherit", "pipe", "pipe"] },
  );
}

const lines = (output: string): Record<string, unknown>[] =>
  output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("writes every line before the process ends, also by process.exit", async () => {
  const child = run(`${preamble} for (let i = 0; i < 500; i++) log.info({ i }, "line"); process.exit(0);`, "cat");
  const found = lines(await text(child.stdout as NodeJS.ReadableStream));
  expect(found.map(({ i }) => i)).toEqual(Array.from({ length: 500 }, (_, i) => i));
});

test("R-O13: a reader that does not read blocks nobody; what was dropped is counted once it reads again", async () => {
  const script = `${preamble}
    const slow = performance.now();
    for (let i = 0; i < 40_000; i++) { log.info({ i, filler: "x".repeat(100) }, "line"); if (i % 1000 === 0) await new Promise(setImmediate); }
    process.stdout.write("loop took " + Math.round(performance.now() - slow) + "\\n");
    await log.flush();
    log.info("the end");
    await log.flush();`;
  const child = run(script, "read word <&4; cat"); // reads the log only after a word from us
  const progress = child.stdio[3] as NodeJS.ReadableStream;
  const [said] = (await once(progress, "data")) as [Buffer];
  expect(String(said)).toMatch(/^loop took \d+\n$/); // it got here although nothing was read
  (child.stdio[4] as NodeJS.WritableStream).end("go\n");
  const found = lines(await text(child.stdout as NodeJS.ReadableStream));
  const written = found.filter(({ msg }) => msg === "line").length;
  const dropped = found.filter(({ msg }) => String(msg).startsWith("log lines were dropped"));
  expect(dropped.length).toBeGreaterThan(0);
  expect(written + dropped.reduce((sum, { dropped }) => sum + Number(dropped), 0)).toBe(40_000);
  expect(found.at(-1)).toMatchObject({ msg: "the end" });
});

test("goes on when its reader has gone away", async () => {
  const script = `${preamble} setTimeout(() => { for (let i = 0; i < 100; i++) log.info("line"); }, 50); setTimeout(() => console.log("alive"), 100);`;
  const child = run(script, ":");
  expect(await text(child.stdio[3] as NodeJS.ReadableStream)).toBe("alive\n");
});

test("writes to a file, in order", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gw-log-"));
  const file = join(directory, "log");
  const fd = openSync(file, "a");
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `${preamble} for (let i = 0; i < 2000; i++) { log.info({ i }, "line"); if (i % 100 === 0) await new Promise(setImmediate); }`,
    ],
    { stdio: ["ignore", "inherit", fd] },
  );
  await once(child, "exit");
  closeSync(fd);
  expect(lines(readFileSync(file, "utf8")).map(({ i }) => i)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  rmSync(directory, { recursive: true });
});
