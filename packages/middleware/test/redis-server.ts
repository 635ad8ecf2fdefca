// A Redis server of a test's own: on a unix socket, every write on disk before its answer, killed and started again on request.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A running server. */
export class RedisServer {
  readonly path: string;
  readonly #folder: string;
  #child: ChildProcess | null = null;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "gw-redis-"));
    this.path = join(this.#folder, "redis.sock");
  }

  /** Settles when it takes connections. */
  async start(): Promise<void> {
    const settings = ["--port", "0", "--unixsocket", this.path, "--dir", this.#folder, "--save", ""];
    const durable = ["--appendonly", "yes", "--appendfsync", "always"];
    const child = spawn("redis-server", [...settings, ...durable], { stdio: ["ignore", "pipe", "inherit"] });
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

  /** Stops the process where it is: connections stand, nothing is answered. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
