// What a user does with the published packages: install, ask for the version, run the README's programs, compile.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { entriesOf, readManifest } from "../workspace.ts";
import type { ReadmeApp } from "./readme-app.ts";
import { run } from "./run.ts";

/** A folder with the packages installed into it. */
export interface UserFolder {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Installs packages into an empty folder and returns it. */
export async function install(path: string, env: NodeJS.ProcessEnv, packages: readonly string[]): Promise<UserFolder> {
  await mkdir(path);
  const arguments_ = ["install", "--no-audit", "--no-fund", ...packages];
  await run("npm", arguments_, { cwd: path, env });
  return { path, env };
}

/** Every entry that the installed packages of the scope export. */
export async function installedEntries({ path }: UserFolder, scope: string): Promise<string[]> {
  const folders = await readdir(join(path, "node_modules", scope));
  return folders.flatMap((folder) =>
    entriesOf(readManifest(join(path, "node_modules", scope, folder))).map(({ specifier }) => specifier),
  );
}

/** The optional peers of the installed packages of the scope, with their ranges: `jose@^6.2.0`. */
export async function optionalPeers({ path }: UserFolder, scope: string): Promise<string[]> {
  const folders = await readdir(join(path, "node_modules", scope));
  const peers = folders.flatMap((folder) => {
    const manifest = readManifest(join(path, "node_modules", scope, folder));
    return Object.entries(manifest.peerDependencies ?? {}).map(([name, range]) => `${name}@${range}`);
  });
  return [...new Set(peers)];
}

/**
 * Loads entries under the user's Node, who has no optional peer yet; gives those that wait for one.
 *
 * @throws Error if a package's main entry is among them, or if something else is missing
 */
export async function entriesWithoutPeers(
  { path, env }: UserFolder,
  entries: readonly string[],
  peers: readonly string[],
): Promise<string[]> {
  const names = peers.map((peer) => peer.slice(0, peer.lastIndexOf("@")));
  const program = `const names = ${JSON.stringify(names)};
for (const entry of ${JSON.stringify(entries)}) {
  try { await import(entry); } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !names.some((name) => error.message.includes("'" + name + "'"))) throw error;
    console.log(entry);
  }
}
`;
  await writeFile(join(path, "load-bare.mjs"), program);
  const waiting = (await run("node", ["load-bare.mjs"], { cwd: path, env })).split("\n").filter((line) => line !== "");
  const mains = waiting.filter((entry) => entry.split("/").length === 2);
  if (mains.length > 0) throw new Error(`main entries that need an optional peer: ${mains.join(", ")}`);
  return waiting;
}

/** Adds packages to the folder. */
export async function add({ path, env }: UserFolder, packages: readonly string[]): Promise<void> {
  if (packages.length > 0) await run("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: path, env });
}

/** Loads every entry under the user's Node. */
export async function loadEntries({ path, env }: UserFolder, entries: readonly string[]): Promise<void> {
  const text = entries.map((specifier) => `await import(${JSON.stringify(specifier)});\n`).join("");
  await writeFile(join(path, "load.mjs"), text);
  await run("node", ["load.mjs"], { cwd: path, env });
}

/** Compiles the programs and an import of every entry, checking our declaration files too. */
export async function compile(
  { path, env }: UserFolder,
  entries: readonly string[],
  files: readonly string[],
  root: string,
): Promise<void> {
  const text = entries.map((specifier, index) => `export * as entry${index} from ${JSON.stringify(specifier)};\n`);
  await writeFile(join(path, "entries.ts"), text.join(""));
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023"],
    skipLibCheck: false,
    allowImportingTsExtensions: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  const config = { compilerOptions, files: ["entries.ts", ...files] };
  await writeFile(join(path, "tsconfig.json"), JSON.stringify(config));
  await writeFile(join(path, "package.json"), JSON.stringify({ ...readManifest(path), type: "module" }));
  await run(join(root, "node_modules/.bin/tsc"), ["-p", "."], { cwd: path, env });
}

/**
 * Serves one program of the README with the installed command, requests it and stops it.
 *
 * @throws Error if it does not start, answers something else, or does not end by itself
 */
export async function tryApp({ path, env }: UserFolder, { file, text, get, answer }: ReadmeApp): Promise<void> {
  await writeFile(join(path, file), text);
  const command = join(path, "node_modules/.bin/gw");
  const child = spawn(command, [file, "--port", "0"], { cwd: path, env, stdio: ["ignore", "inherit", "pipe"] });
  const ended = once(child, "exit");
  try {
    const response = await fetch(new URL(get, await listening(child)));
    const body = await response.text();
    if (!response.ok || !body.includes(answer)) {
      throw new Error(`${file}: expected 200 with "${answer}" on GET ${get}, found ${response.status}: ${body}`);
    }
  } finally {
    child.kill("SIGTERM");
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`${file}: expected the gateway to end with 0 on TERM, found ${code}`);
}

/** Waits for the line that says where the gateway listens. */
async function listening(child: ChildProcess): Promise<string> {
  const seen: string[] = [];
  const lines = createInterface({ input: child.stderr ?? process.stdin });
  for await (const line of lines) {
    const url = line.match(/^gw: listening on (http:\S+)$/)?.[1];
    if (url !== undefined) {
      child.stderr?.resume();
      return url;
    }
    seen.push(line);
  }
  throw new Error(`expected "gw: listening on http://…" on standard error, found:\n${seen.join("\n")}`);
}
