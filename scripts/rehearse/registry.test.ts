import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Registry, startRegistry } from "./registry.ts";
import { run } from "./run.ts";

interface Desk {
  readonly registry: Registry;
  readonly folder: string;
  npm(cwd: string, ...args: string[]): Promise<string>;
  writePackage(name: string, version: string): string;
}

async function openDesk(): Promise<Desk> {
  const registry = await startRegistry();
  const folder = mkdtempSync(join(tmpdir(), "gw-registry-"));
  onTestFinished(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const env = {
    ...process.env,
    npm_config_registry: registry.url,
    npm_config_cache: join(folder, "cache"),
    [`npm_config_//${new URL(registry.url).host}/:_authToken`]: "test",
  };
  return {
    registry,
    folder,
    npm: (cwd, ...args) => run("npm", args, { cwd: join(folder, cwd), env }),
    writePackage(name, version) {
      const path = `${name.replace("/", "-")}-${version}`;
      mkdirSync(join(folder, path));
      writeFileSync(join(folder, path, "package.json"), JSON.stringify({ name, version, main: "index.js" }));
      writeFileSync(join(folder, path, "index.js"), `module.exports = ${JSON.stringify(version)};\n`);
      return path;
    },
  };
}

test("npm publishes into the registry and installs from it", async () => {
  const desk = await openDesk();
  await desk.npm(desk.writePackage("@gw/one", "1.0.0"), "publish", "--access", "public");
  await desk.npm(desk.writePackage("@gw/one", "1.1.0"), "publish", "--access", "public");
  expect(desk.registry.published).toEqual(["@gw/one@1.0.0", "@gw/one@1.1.0"]);
  mkdirSync(join(desk.folder, "app"));
  await desk.npm("app", "install", "@gw/one");
  expect(readFileSync(join(desk.folder, "app/node_modules/@gw/one/index.js"), "utf8")).toContain("1.1.0");
});

test("a version is published once", async () => {
  const desk = await openDesk();
  const path = desk.writePackage("@gw/one", "1.0.0");
  await desk.npm(path, "publish", "--access", "public");
  await expect(desk.npm(path, "publish", "--access", "public")).rejects.toThrow(/1\.0\.0/);
  expect(desk.registry.published).toEqual(["@gw/one@1.0.0"]);
});

test("a package that nobody published is not found", async () => {
  const desk = await openDesk();
  mkdirSync(join(desk.folder, "app"));
  await expect(desk.npm("app", "view", "@gw/none")).rejects.toThrow(/E404/);
});
