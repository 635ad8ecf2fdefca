// The release rehearsal: `npm run rehearse`.
//
// Copies the tracked files, makes a release of them as the release workflow would, publishes into a registry on
// 127.0.0.1, and then uses the packages as somebody who has never seen this repository.
import { execFileSync } from "node:child_process";
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readmeApps } from "./rehearse/readme-app.ts";
import { startRegistry } from "./rehearse/registry.ts";
import { run } from "./rehearse/run.ts";
import {
  add,
  compile,
  entriesWithoutPeers,
  install,
  installedEntries,
  loadEntries,
  optionalPeers,
  tryApp,
} from "./rehearse/user.ts";
import { userEnvironment } from "./rehearse/user-environment.ts";
import { readManifest, readPackages } from "./workspace.ts";

const root = process.cwd();
const work = await mkdtemp(join(tmpdir(), "gw-rehearsal-"));
const tree = join(work, "tree");
const registry = await startRegistry();
const started = performance.now();

/** Runs one step and says how long it took. */
async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const before = performance.now();
  const result = await work();
  console.log(`rehearse: ${title} (${((performance.now() - before) / 1000).toFixed(1)} s)`);
  return result;
}

async function copyTree(): Promise<void> {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
  for (const file of files) await cp(join(root, file), join(tree, file));
  // Changesets asks git who added a changeset.
  const identity = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost"];
  const git = (...args: string[]): Promise<string> => run("git", args, { cwd: tree, env: process.env });
  await git("init", "-q", "-b", "main");
  await git("add", "-A");
  await git(...identity, "commit", "-q", "-m", "Rehearsal");
}

async function makeRelease(): Promise<string> {
  const env = userEnvironment(process.env);
  const npm = (...args: string[]): Promise<string> => run("npm", args, { cwd: tree, env });
  await step("installed the tree", () => npm("ci"));
  await step("raised the versions", () => npm("run", "version"));
  await step("the lock file still fits", () => npm("ci", "--dry-run", "--ignore-scripts"));
  await step("built", () => npm("run", "build"));
  await step("published", publish);
  return readManifest(join(tree, "packages/core")).version;
}

/** Publishes with a configuration of its own: nobody's real registry or credentials can be reached from here. */
async function publish(): Promise<void> {
  const config = `registry=${registry.url}\n//${new URL(registry.url).host}/:_authToken=rehearsal\n`;
  await writeFile(join(work, "npmrc"), config);
  await appendFile(join(tree, ".npmrc"), config);
  const env = {
    ...userEnvironment(process.env),
    npm_config_userconfig: join(work, "npmrc"),
    npm_config_registry: registry.url,
  };
  await run(join(tree, "node_modules/.bin/changeset"), ["publish", "--no-git-tag"], { cwd: tree, env });
}

async function useRelease(version: string): Promise<void> {
  const env = { ...userEnvironment(process.env), "npm_config_@gw:registry": registry.url };
  const node = (await run("node", ["--version"], { cwd: work, env })).trim();
  const packages = ["@gw/cli", "@gw/core", "@gw/http"];
  const folder = await step(`npm i ${packages.join(" ")} (Node ${node})`, () =>
    install(join(work, "app"), env, packages),
  );
  const printed = (await run("npx", ["gw", "--version"], { cwd: folder.path, env })).trim();
  if (!printed.split(" ").includes(version)) throw new Error(`npx gw --version: expected ${version}, found ${printed}`);
  const apps = readmeApps(await readFile(join(root, "README.md"), "utf8"));
  for (const app of apps) await step(`${app.file} of the README answers`, () => tryApp(folder, app));
  const entries = await installedEntries(folder, "@gw");
  const peers = await optionalPeers(folder, "@gw");
  const waiting = await entriesWithoutPeers(folder, entries, peers);
  const loaded = entries.length - waiting.length;
  await step(`${loaded} entries load alone; npm i ${peers.join(" ")}`, () => add(folder, peers));
  await step(`${entries.length} entries load`, () => loadEntries(folder, entries));
  const files = apps.map(({ file }) => file);
  await step("declarations compile", () => compile(folder, entries, files, root));
}

try {
  await step("copied the tree", copyTree);
  const version = await makeRelease();
  const expected = readPackages(tree).map(({ manifest }) => `${manifest.name}@${version}`);
  const missing = expected.filter((name) => !registry.published.includes(name));
  if (missing.length > 0) throw new Error(`expected to be published: ${missing.join(", ")}`);
  await useRelease(version);
  console.log(`rehearse: ${version} works (${((performance.now() - started) / 1000).toFixed(0)} s)`);
} catch (error) {
  console.error(`rehearse: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await registry.close();
  await rm(work, { recursive: true, force: true });
}
