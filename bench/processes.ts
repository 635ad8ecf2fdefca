// Servers under measurement: started, waited for, their processor time read (Linux), and ended.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is gone at the end, and the programs started. */
export class Stage {
  readonly folder: string = mkdtempSync(join(tmpdir(), "gw-bench-"));
  readonly #running: ChildProcess[] = [];
  readonly #groups = new Map<number, string>();

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        this.end();
        process.exit(1);
      });
    }
  }

  /** Starts a program in the folder, in a control group of its own if there can be one; gives its process id. */
  start(command: string, words: readonly string[], { cwd = this.folder }: { cwd?: string } = {}): number {
    const group = newGroup(this.#running.length);
    const line = group === null ? [command, ...words] : [...INTO_GROUP, group, command, ...words];
    const child = spawn(line[0] as string, line.slice(1), {
      cwd,
      stdio: ["ignore", "ignore", "inherit"],
      detached: true,
    });
    this.#running.push(child);
    const pid = child.pid as number;
    if (group !== null) this.#groups.set(pid, group);
    return pid;
  }

  /**
   * Milliseconds of a program and all it started, ended children too. Without control groups children that nobody
   * waits for are missing, as those of Apache's mod_cgid.
   */
  time(pid: number): number {
    const group = this.#groups.get(pid);
    return group === undefined ? treeTime(pid) : Number(readFileSync(`${group}/cpuacct.usage`, "latin1")) / 1e6;
  }

  /** Writes a file of the folder; gives its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Ends every program, with what it started, and removes the folder. */
  end(): void {
    for (const { pid } of this.#running) {
      try {
        process.kill(-(pid as number), "SIGKILL");
      } catch {
        // It has ended already.
      }
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    for (const group of this.#groups.values()) {
      try {
        rmdirSync(group);
      } catch {
        // The last process is still on its way out; an empty group costs nothing.
      }
    }
  }
}

const GROUPS = "/sys/fs/cgroup/cpuacct";
const INTO_GROUP = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"'];

function newGroup(index: number): string | null {
  const group = `${GROUPS}/gw-bench-${process.pid}-${index}`;
  try {
    mkdirSync(group);
    return existsSync(`${group}/cpuacct.usage`) ? group : null;
  } catch {
    return null;
  }
}

/** Packages from npm that only benchmarks need, installed once into a folder of their own. */
export function rivalPackages(): string {
  const folder = join(import.meta.dirname, "node_modules/.rivals");
  const names = ["cgi@0.3.1", "node-fastcgi@2.0.0", "fastcgi-client@0.2.0"];
  if (existsSync(join(folder, "node_modules/cgi"))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...names], { cwd: folder });
  return folder;
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** Waits, 20 s at most, until somebody takes connections there. */
export async function listening(where: string | number): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; ) {
    const socket = typeof where === "number" ? connect(where, "127.0.0.1") : connect(where);
    const isOpen = await new Promise<boolean>((done) => {
      socket.once("connect", () => done(true)).once("error", () => done(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`nobody listens on ${where}`);
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Own time and that of children that have ended, ticks of 10 ms. */
  readonly ticks: number;
}

function allProcesses(): Stat[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, "latin1");
        const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
        const ticks = fields.slice(11, 15).reduce((sum, one) => sum + Number(one), 0);
        return [{ pid: Number(name), parent: Number(fields[1]), ticks }];
      } catch {
        return [];
      }
    });
}

function below(root: number): Stat[] {
  const all = allProcesses();
  const found = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}

/** Milliseconds of a process and all below it, of ended children too; counted in steps of 10. */
export function treeTime(root: number): number {
  return below(root).reduce((sum, { ticks }) => sum + ticks, 0) * 10;
}

/** Milliseconds of the living processes and threads from `root` down, counted in nanoseconds: for servers that start none. */
export function liveTime(root: number): number {
  let sum = 0;
  for (const { pid } of below(root)) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ")[0]);
    }
  }
  return sum / 1e6;
}
