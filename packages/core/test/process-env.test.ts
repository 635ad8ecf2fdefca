// The environment as a CGI program gets it: bytes, not text.
import { spawnSync } from "node:child_process";
import { expect } from "vitest";
import { requires } from "../../../scripts/testing/requires.ts";

const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);

requires("/proc/self/environ")("reads the bytes of its environment that Node itself loses", () => {
  const script = `
    const { processEnvironment } = await import(${entry});
    console.log(JSON.stringify([processEnvironment().get("PATH_INFO"), process.env.PATH_INFO]));
  `;
  // Only a shell can set such a value: Node writes UTF-8.
  const { stdout } = spawnSync(
    "/bin/sh",
    ["-c", `PATH_INFO=$(printf '/caf\\351') exec "$0" --input-type=module -e "$1"`, process.execPath, script],
    { encoding: "utf8" },
  );
  expect(JSON.parse(stdout)).toEqual(["/caf\xe9", "/caf\ufffd"]);
});
