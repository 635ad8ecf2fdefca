// Where a backend's processes listen: unix sockets in a directory that only we can enter.
import { renameSync } from "node:fs";
import { createServer } from "node:net";
import type { Logger } from "../model/log.ts";
import { Room, socketError } from "./backend-room.ts";
import type { WholeSpec } from "./backend-spec.ts";
import { spawnChild } from "./child.ts";
import { type BoundHandle, bindOnly } from "./held-bind.ts";

/** What one process listens on. */
export interface ProcessSocket {
  /** Path that connects to it; `null` if it has none. */
  readonly address: string | null;
  /** Descriptor 0 for the process, if it is one of ours. */
  readonly fd: number | null;
  /** What its environment has besides the spec's. */
  readonly env: Readonly<Record<string, string>>;
  /** What the kernel calls a socket that no other process has; `null` if it is shared, or there is none. */
  readonly boundAs: string | null;
  /** When the process has been started, or could not be. */
  passed(): void;
  /** When the process has ended, or could not be started. */
  release(): void;
}

/** The sockets of one backend. */
export interface BackendSockets {
  /** The one for the next process. @throws GatewayError `GW_BACKEND_SOCKET` */
  next(): Promise<ProcessSocket>;
  /** Removes everything; also done when our process exits. */
  close(): void;
}

/** The sockets that a spec asks for. Nothing is made before the first process needs it. */
export function backendSockets(spec: WholeSpec, log: Logger): BackendSockets {
  if (spec.socket === "none") return { next: async () => noSocket, close: () => {} };
  if (spec.socket === "path") return new OwnSockets(spec);
  return spec.socket === "own-fd0" ? new PassedSockets(spec) : new SharedSockets(spec, log);
}

const nothing = (): void => {};
const noSocket: ProcessSocket = {
  address: null,
  fd: null,
  env: {},
  boundAs: null,
  passed: nothing,
  release: nothing,
};

/** Each process makes its own. */
class OwnSockets implements BackendSockets {
  readonly #room: Room;
  #count = 0;

  constructor(spec: WholeSpec) {
    this.#room = new Room(spec);
  }

  async next(): Promise<ProcessSocket> {
    const address = await this.#room.path(`${++this.#count}.sock`);
    return {
      address,
      fd: null,
      env: { GW_SOCKET: address },
      boundAs: address,
      passed: nothing,
      release: () => this.#room.remove(address),
    };
  }

  close(): void {
    this.#room.close();
  }
}

/** Each process gets one of its own as descriptor 0. Only it has it: when it ends, who is connected or waits is told. */
class PassedSockets implements BackendSockets {
  readonly #room: Room;
  #count = 0;

  constructor(spec: WholeSpec) {
    this.#room = new Room(spec);
  }

  async next(): Promise<ProcessSocket> {
    const name = ++this.#count;
    const boundAs = await this.#room.path(`${name}.new`);
    const address = await this.#room.path(`${name}.sock`);
    const { fd, close } = openListener(boundAs);
    // Closing removes the file that was bound; under its other name it stays.
    renameSync(boundAs, address);
    return { address, fd, env: {}, boundAs, passed: close, release: () => this.#room.remove(address) };
  }

  close(): void {
    this.#room.close();
  }
}

/**
 * A listening socket to give away. Node would accept from it, so it is to be closed before anyone can connect: nobody
 * knows its path until its process is ready.
 */
function openListener(path: string): { readonly fd: number; close(): void } {
  const server = createServer((socket) => socket.destroy());
  let failure: Error | null = null;
  server.on("error", (error) => {
    failure = error;
  });
  server.listen({ path, backlog: BACKLOG, exclusive: true });
  const { _handle: handle } = server as unknown as { _handle: { readonly fd: number } | null };
  if (handle === null || handle.fd < 0) throw socketError(path, failure ?? new Error("the socket has no descriptor"));
  return { fd: handle.fd, close: () => server.close() };
}

/** All processes accept from one, which we hold open: requests wait in it while a process is replaced. */
class SharedSockets implements BackendSockets {
  readonly #room: Room;
  readonly #log: Logger;
  #opened: Promise<HeldSocket> | null = null;
  #held: HeldSocket | null = null;

  constructor(spec: WholeSpec, log: Logger) {
    this.#room = new Room(spec);
    this.#log = log;
  }

  async next(): Promise<ProcessSocket> {
    this.#opened ??= this.#open();
    try {
      const { path, fd } = await this.#opened;
      return { address: path, fd, env: {}, boundAs: null, passed: nothing, release: nothing };
    } catch (error) {
      this.#opened = null;
      throw error;
    }
  }

  close(): void {
    this.#held?.close();
    this.#room.close();
  }

  async #open(): Promise<HeldSocket> {
    this.#held = await holdListeningSocket(await this.#room.path("fd0.sock"), this.#log);
    return this.#held;
  }
}

/** A listening socket that this process holds but never accepts from. */
interface HeldSocket {
  readonly path: string;
  readonly fd: number;
  close(): void;
}

const BACKLOG = 511;
const LISTEN = `require("net").createServer().listen({ fd: 0, backlog: ${BACKLOG} }); process.exit()`;

/**
 * Node accepts from whatever it listens on, so we only bind. Listening is a
 * state of the socket, not of the process: a helper that has it as descriptor
 * 0 turns it on and ends.
 */
async function holdListeningSocket(path: string, log: Logger): Promise<HeldSocket> {
  let handle: BoundHandle | null = null;
  try {
    handle = bindOnly(path, -1, -1);
    const helper = await spawnChild({ command: [process.execPath, "-e", LISTEN], env: {}, stdin: handle.fd, log });
    const { code, signal, stderr } = await helper.exited;
    if (code !== 0) throw new Error(`the helper that makes it listen ended with ${signal ?? code}: ${stderr}`);
  } catch (error) {
    handle?.close();
    throw socketError(path, error);
  }
  const { fd } = handle;
  return { path, fd, close: () => handle.close() };
}
