// A real web server of the machine: started on a free port, ended by its id.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";

/** A server that runs. */
export interface ServerProcess {
  /** What it wrote to standard error, the newest 4,000 characters. */
  words(): string;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
}

/** How to start a server. */
export interface Launch {
  readonly command: readonly [program: string, ...args: readonly string[]];
  /** Home of the server, for those that keep something there. */
  readonly folder: string;
  /** Where it is going to listen. */
  readonly port: number;
}

/** Starts a server and waits until it listens. @throws Error with its last words if it ends before */
export async function launch({ command: [program, ...args], folder, port }: Launch): Promise<ServerProcess> {
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH ?? "", HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => {
    words = `${words}${chunk}`.slice(-4_000);
  });
  await untilItListens(port, child, () => words);
  return {
    words: () => words,
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

/** No event tells that another process listens, so we try. */
async function untilItListens(port: number, child: ChildProcess, words: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${words()}`);
    const socket = connect(port, "127.0.0.1");
    const isThere = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
