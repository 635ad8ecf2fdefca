// R-O9: out of descriptors is a clear refusal, and the end of it is the end of the trouble.
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { expect, test } from "vitest";

const node = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);
const core = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
const kit = JSON.stringify(new URL("../dist/testing/index.js", import.meta.url).href);

/** Runs `attempt` with no descriptor left, then with all of them; what it gave both times. */
function starved(attempt: string): unknown[] {
  const script = `
    import { closeSync, openSync } from "node:fs";
    const { createLogger, fileAnswer, spawnChild } = await import(${node});
    const { isGatewayError } = await import(${core});
    const { request } = await import(${kit});
    const attempt = async () => { ${attempt} };
    await attempt(); // everything is loaded
    const held = [];
    try { for (;;) held.push(openSync("/dev/null")); } catch {}
    const without = await attempt();
    for (const fd of held) closeSync(fd);
    console.log(JSON.stringify([without, await attempt()]));
  `;
  const stdio: ("ignore" | "pipe" | number)[] = ["ignore", "pipe", "pipe"];
  while (stdio.length < 200) stdio.push("ignore");
  stdio.push(openSync("/dev/null", "r")); // inherited, and above the limit: it can neither be used nor hidden
  const { stdout, stderr } = spawnSync(
    "/bin/sh",
    ["-c", 'ulimit -n 120; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    { encoding: "utf8", stdio },
  );
  closeSync(stdio[200] as number);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as unknown[];
}

test("R-O9: a file is 503 with Retry-After, then 200 again", () => {
  const attempt = `
    const answer = await request((incoming) => fileAnswer(incoming, { root: "/etc" }), "/passwd");
    return [answer.status, answer.headers.get("retry-after")];`;
  expect(starved(attempt)).toEqual([
    [503, "1"],
    [200, null],
  ]);
});

test("R-O9: a program is 503 with Retry-After, then it runs again", () => {
  const attempt = `
    try {
      const child = await spawnChild({ command: ["/bin/true"], env: {}, log: createLogger({ level: "silent" }) });
      return (await child.exited).code;
    } catch (error) {
      return [error.code, error.status, error.headers?.[0]];
    }`;
  expect(starved(attempt)).toEqual([["GW_SPAWN_BUSY", 503, ["Retry-After", "1"]], 0]);
});
