// What few layers need is not installed with all of them: the command says what to install.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bareEnvironment } from "./gw.ts";

const modules = join(import.meta.dirname, "../../../node_modules");
const peers = ["@fastify", "@opentelemetry", "jose", "openid-client"];

/** A folder where the packages are installed, without what is optional. */
function installedWithoutPeers(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "gw-peers-")));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const place = join(path, "node_modules");
  mkdirSync(join(place, "@gw"), { recursive: true });
  for (const name of readdirSync(join(modules, "@gw"))) {
    const from = realpathSync(join(modules, "@gw", name));
    for (const part of ["package.json", "dist", "bin"].filter((one) => existsSync(join(from, one)))) {
      cpSync(join(from, part), join(place, "@gw", name, part), { recursive: true });
    }
  }
  for (const name of readdirSync(modules)) {
    if (name !== "@gw" && !name.startsWith(".") && !peers.includes(name))
      symlinkSync(join(modules, name), join(place, name));
  }
  writeFileSync(join(path, "app.mjs"), "export default { fetch: () => new Response('x') };\n");
  return path;
}

/** `gw check app.mjs --use …` there. */
function checkWith(layer: string): { status: number | null; stderr: string } {
  const cwd = installedWithoutPeers();
  const words = [join(cwd, "node_modules/@gw/cli/bin/gw.js"), "check", "app.mjs", "--use", layer];
  return spawnSync(process.execPath, words, { cwd, env: bareEnvironment(), encoding: "utf8" });
}

test.each([
  ["jwt", "jose"],
  ["tracing", "@opentelemetry/api"],
  ["form-data", "@fastify/busboy"],
])("--use %s without its package says that %s is missing", (layer, peer) => {
  const { status, stderr } = checkWith(layer);
  expect([status, stderr]).toEqual([1, `gw: --use ${layer} needs the package ${peer}: npm i ${peer}\n`]);
});

test("--use oidc needs two: one of them is told", () => {
  const { status, stderr } = checkWith("oidc");
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^gw: --use oidc needs the package (jose|openid-client): npm i \1\n$/),
  ]);
});

test.each(["passwords", "redis-counters", "redisCounters"])("--use %s is no layer", (name) => {
  const { status, stderr } = checkWith(name);
  expect([status, stderr]).toEqual([2, expect.stringContaining(`@gw/middleware has no layer "`)]);
});
