// The recipes for containers: read as what they are, and run as far as one can without an engine: process 1 of a real name space.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@gw-private/free-port";
import { requires } from "@gw-private/requires";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { bareEnvironment, type Folder, folderWith, gw } from "./gw.ts";

const documents = join(import.meta.dirname, "../../../docs");

interface Instruction {
  readonly name: string;
  readonly words: readonly string[];
}

/** In this order, the site's own files after its packages. */
const INSTRUCTIONS = ["FROM", "WORKDIR", "COPY", "RUN", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "CMD"];

/** The instructions of the Dockerfile in the manual, one a line; lists of words are JSON. */
function dockerfile(): readonly Instruction[] {
  const manual = readFileSync(join(documents, "operations.md"), "utf8");
  const [, file = ""] = /```dockerfile\n([\s\S]*?)```/.exec(manual) ?? [];
  return file
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", ...rest] = line.split(" ");
      const list = /\[.*\]$/.exec(line)?.[0];
      return { name, words: list === undefined ? rest : (JSON.parse(list) as string[]) };
    });
}

const wordsOf = (name: string): readonly string[] => dockerfile().find((one) => one.name === name)?.words ?? [];
/** What the manifest has the kubelet ask; it is asked of the gateways below. */
const PROBES = ["/-/live", "/-/ready"];
const GW = "/srv/node_modules/.bin/gw";
const portAfter = (words: readonly string[], flag: string): string | undefined =>
  words[words.indexOf(flag) + 1]?.split(":").at(-1);
const secondsAfter = (words: readonly string[], flag: string): number =>
  Number.parseInt(words[words.indexOf(flag) + 1] as string, 10);

const app = `import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { text } from "@gw/core";
const zombies = () => readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).filter((pid) => {
  try { return /^\\d+ \\(.*\\) Z/.test(readFileSync("/proc/" + pid + "/stat", "utf8")); } catch { return false; }
}).length;
const pause = (time) => new Promise((done) => setTimeout(done, time));
export default { app: async (request) => {
  if (request.path === "/orphan") {
    const parent = spawn("/bin/sh", ["-c", "(sleep 0.1; exit 0) & exit 0"]);
    await new Promise((done) => parent.on("exit", done));
    for (let time = 0; time < 100 && (time < 5 || zombies() > 0); time++) await pause(50);
  }
  if (request.path === "/slow") {
    console.error("slow has begun");
    await pause(700);
  }
  return text(readFileSync("/proc/1/comm", "utf8").trim() + " " + zombies());
} };
`;

/** A site as the Dockerfile expects it. */
function site(): Folder {
  return folderWith({ "gw.config.mjs": app, "package-lock.json": "{}" });
}

describe("the Dockerfile of docs/operations.md", () => {
  test("has instructions that there are, copies what a site has, and a Node that can give up the first place", () => {
    expect(dockerfile().map(({ name }) => name)).toEqual(INSTRUCTIONS);
    const [folder] = wordsOf("WORKDIR");
    expect(`${folder}/node_modules/.bin/gw`).toBe(GW);
    const { path } = site();
    for (const { words } of dockerfile().filter(({ name }) => name === "COPY"))
      for (const source of words.slice(0, -1))
        expect(readdirSync(path).filter(matching(source)), source).not.toEqual([]);
    expect(Number(/^node:(\d+)/.exec(wordsOf("FROM")[0] ?? "")?.[1])).toBeGreaterThanOrEqual(24);
  });

  test("starts a command that gw check accepts, at the ports that it exposes and looks at", async () => {
    const [program, serve, ...words] = wordsOf("CMD");
    expect([program, serve]).toEqual([GW, "serve"]);
    expect((await gw(site(), ["check", ...words])).stdout).toContain("would listen on :8000\n");
    expect((await gw(site(), ["check", ...words, "--drain-dealy", "5s"])).code).toBe(2);
    expect(wordsOf("EXPOSE")).toEqual([portAfter(words, "-b")]);
    expect(wordsOf("HEALTHCHECK").join(" ")).toContain(`127.0.0.1:${portAfter(words, "--admin")}/-/ready`);
  });
});

/** Whether a file is what COPY names: all of the folder, or a name with a star. */
function matching(source: string): (name: string) => boolean {
  const [before = "", after = ""] = source.split("*");
  return source === "." ? () => true : (name) => name.startsWith(before) && name.endsWith(after);
}

/** Starts a program as process 1 of a process name space, as an engine does. */
function first(folder: Folder, words: readonly string[], environment: Record<string, string>) {
  const child = spawn(pathOf("unshare"), ["--pid", "--fork", "--mount-proc", "--kill-child", ...words], {
    cwd: folder.path,
    env: { ...bareEnvironment(), ...environment },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  const waiting = new Set<() => void>();
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (const look of [...waiting]) look();
  });
  const ended = new Promise<number | null>((done) => child.on("exit", (code) => done(code)));
  const says = (what: RegExp): Promise<void> =>
    new Promise((done, fail) => {
      const look = (): void => {
        if (!what.test(text)) return;
        waiting.delete(look);
        done();
      };
      waiting.add(look);
      look();
      void ended.then(() => fail(new Error(`it ended and said: ${text}`)));
    });
  const signalFirst = (name: NodeJS.Signals): void => {
    const { stdout } = spawnSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" });
    process.kill(Number(stdout.trim()), name);
  };
  return { says, ended, signalFirst };
}

// Making a name space needs privileges; execve and node:sqlite both came with Node 22.
const needs = ["unshare", "root privileges", "pgrep", ...("execve" in process ? [] : ["node:sqlite"])];

for (const init of ["sh", "tini", "dumb-init", "catatonit"]) {
  requires(...needs, init)(
    `R-O1: as process 1 under ${init} it reaps orphans, drains at TERM, and its health check follows`,
    async () => {
      const folder = site();
      const [port, adminPort] = await freePorts(2);
      // On this PATH there is this init and no other.
      mkdirSync(join(folder.path, "bin"));
      for (const name of ["sleep", init]) symlinkSync(pathOf(name), join(folder.path, "bin", name));
      const own = (word: string): string =>
        word
          .replace("/srv/", `${folder.path}/`)
          .replace(/^:8000$/, `127.0.0.1:${port}`)
          .replace("127.0.0.1:9000", `127.0.0.1:${adminPort}`)
          .replace("5s", "1s");
      const [program = "", ...words] = wordsOf("CMD").map(own);
      const gateway = first(folder, [process.execPath, program, ...words], { PATH: join(folder.path, "bin") });
      await gateway.says(/gw: listening/);
      const ask = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
      const [, ...health] = wordsOf("HEALTHCHECK").map(own);
      const healthCode = (): number | null => spawnSync(process.execPath, health, { env: bareEnvironment() }).status;
      for (let time = 0; time < 2; time++) expect(await ask("/orphan")).toBe(`${init} 0`);
      expect(healthCode()).toBe(0);
      for (const path of PROBES) expect((await fetch(`http://127.0.0.1:${adminPort}${path}`)).status, path).toBe(200);
      const slow = ask("/slow");
      await gateway.says(/slow has begun/);
      gateway.signalFirst("SIGTERM");
      await expect.poll(healthCode, { timeout: 10_000 }).toBe(1);
      expect(await slow).toBe(`${init} 0`);
      await gateway.says(/gw: stopped/);
      expect(await gateway.ended).toBe(0);
      expect(healthCode()).toBe(1);
    },
  );
}

function pathOf(program: string): string {
  return spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
}

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
}

/** The documents of a recipe. @throws what is no YAML */
function recipe(name: string): readonly Record<string, never>[] {
  const parsed = parseAllDocuments(readFileSync(join(documents, "scaling", name), "utf8"), { merge: true });
  expect(parsed.flatMap(({ errors }) => errors)).toEqual([]);
  return parsed.map((one) => one.toJS() as Record<string, never>);
}

/** The words of a recipe are words of the command, and it is the command itself. */
async function checked(words: readonly string[]): Promise<void> {
  expect(words.slice(0, 2)).toEqual([GW, "serve"]);
  expect(await gw(site(), ["check", ...words.slice(2)])).toMatchObject({ code: 0 });
}

test("the Kubernetes manifest: words, ports and times fit one another", async () => {
  const [deployment, service] = recipe("kubernetes.yaml") as unknown as [
    { spec: { template: { spec: { terminationGracePeriodSeconds: number; containers: Container[] } } } },
    { spec: { ports: { targetPort: string }[] } },
  ];
  const { terminationGracePeriodSeconds, containers } = deployment.spec.template.spec;
  const [container] = containers as [Container];
  await checked(container.args);
  const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, String(containerPort)]));
  expect(ports).toEqual({ http: portAfter(container.args, "-b"), admin: portAfter(container.args, "--admin") });
  expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual(["http"]);
  const needed = secondsAfter(container.args, "--drain-delay") + secondsAfter(container.args, "--graceful-timeout");
  expect(terminationGracePeriodSeconds).toBeGreaterThan(needed);
  const probes = (["startupProbe", "livenessProbe", "readinessProbe"] as const).map((name) => container[name]);
  expect(probes.map((probe) => probe?.httpGet.port)).toEqual(["admin", "admin", "admin"]);
  expect([...new Set(probes.map((probe) => probe?.httpGet.path))]).toEqual(PROBES);
});

test("the compose file: words, ports and times fit one another, and its health check is that of the Dockerfile", async () => {
  const [compose] = recipe("compose.yaml") as unknown as [
    {
      services: Record<string, { command: string[]; healthcheck: { test: string[] }; stop_grace_period: string }>;
    },
  ];
  for (const name of ["one", "two"]) {
    const { command, healthcheck, stop_grace_period } = compose.services[name] as (typeof compose.services)[string];
    await checked(command);
    const [kind, ...check] = healthcheck.test;
    expect([kind, check]).toEqual(["CMD", wordsOf("HEALTHCHECK")]);
    expect(portAfter(command, "--admin")).toBe(portAfter(wordsOf("CMD"), "--admin"));
    expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThan(secondsAfter(command, "--drain-delay") + 30);
  }
});
