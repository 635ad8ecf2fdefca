// The recipes of docs/recipes: their files are laid out in a folder of the test and served as they stand.
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { App } from "@gw/core";
import { temporaryDirectory } from "../programs.ts";
import { serveApp, type TestServer } from "../serve.ts";

/** A recipe that runs. */
export interface Recipe extends TestServer {
  /** Where a path of the page lies: `at("/srv/git")`. */
  at(path: string): string;
}

/** As `htpasswd -B` writes it: ann, secret. */
const USERS = "ann:$2y$05$SQhfIDkzWVZWMDdOaPeDJOhHLousjQOywiUjRSoUmrWQZzXysJYmG\n";

/** What a page's own steps do before its configuration is loaded. */
export type Prepare = (at: (path: string) => string) => Promise<void> | void;

/** Lays out the files of a page and serves its gw.config.ts; the user "ann" has the password "secret". */
export async function recipe(page: string, prepare: Prepare = () => {}): Promise<Recipe> {
  const root = temporaryDirectory();
  const at = (path: string): string => join(root, path);
  const moved = (text: string): string => text.replaceAll(/(?<![\w.])\/(srv|etc\/gw)(?=[/"])/g, `${root}/$1`);
  const text = readFileSync(join(import.meta.dirname, "../../../../docs/recipes", page), "utf8");
  for (const [, path = "", content = ""] of text.matchAll(/<!-- file: (\S+) -->\n```\w*\n(.*?)```/gs)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), moved(content));
    if (content.startsWith("#!")) chmodSync(at(path), 0o755);
  }
  mkdirSync(at("/etc/gw"), { recursive: true });
  writeFileSync(at("/etc/gw/users"), USERS);
  await prepare(at);
  const { default: app } = (await import(pathToFileURL(at("/srv/gw/gw.config.ts")).href)) as { default: App };
  return { ...(await serveApp(app)), at };
}

/** The environment of tools that a user runs: nobody's settings, no questions. */
export const userEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? "",
  HOME: "/nonexistent",
  HGPLAIN: "1",
  HGRCPATH: "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.org",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.org",
};

/** Runs a tool as a user would; what it said. */
export async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd, env: userEnvironment, timeout: 60_000 });
  return stdout + stderr;
}
