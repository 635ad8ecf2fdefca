// A Redis server that load tests kill, and that is started again as a service manager would do it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { Folder } from "../gw.ts";

/** A server on a unix socket; what it has acknowledged is on disk. Ends with the test. */
export class Redis {
  readonly #folder: string;
  readonly #socket: string;
  readonly #readyFile: string;
  #child: ChildProcess | null = null;
  #isOver = false;

  constructor({ path }: Pick<Folder, "path">) {
    this.#folder = path;
    this.#socket = join(path, "redis.sock");
    this.#readyFile = join(path, "redis-ready");
    onTestFinished(() => {
      this.#isOver = true;
      return this.kill();
    });
  }

  /** What the site has to know. */
  get environment(): Readonly<Record<string, string>> {
    return { REDIS: this.#socket, REDIS_READY: this.#readyFile };
  }

  /** Settles when it takes connections. */
  async start(): Promise<void> {
    if (this.#isOver) return;
    const place = ["--port", "0", "--unixsocket", this.#socket, "--dir", this.#folder, "--save", ""];
    const child = spawn("redis-server", [...place, "--appendonly", "yes", "--appendfsync", "always"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) if (/eady to accept/.test(line)) break;
    child.stdout.resume();
  }

  /** As a power cut. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** How often workers have connected. */
  get connections(): number {
    return this.#connected().length;
  }

  /** Settles when each of these processes has connected since, or is no more. @param workers those that are there when it is asked */
  async untilConnected(workers: () => readonly number[], since: number): Promise<void> {
    while (!this.#isOver && !workers().every((pid) => this.#connected().slice(since).includes(pid))) await pause(10);
  }

  /** Processes in the order in which they connected. */
  #connected(): readonly number[] {
    return existsSync(this.#readyFile)
      ? readFileSync(this.#readyFile, "utf8").split("\n").slice(0, -1).map(Number)
      : [];
  }
}
