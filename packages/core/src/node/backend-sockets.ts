// Where a backend's processes listen: unix sockets in a directory that only we can enter.
import { rmdirSync, unlinkSync } from "node:fs";
import { chown, mkdtemp } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { atExit } from "./at-exit.ts";
import type { WholeSpec } from "./backend-spec.ts";
import { spawnChild } from "./child.ts";

/** What one process listens on. */
export interface ProcessSocket {
  /** Path that connects to it; `null` if it has none. */
  readonly address: string | null;
  /** Descriptor 0 for the process, if it is one of ours. */
  readonly fd: number | null;
  /** What its environment has besides the spec's. */
  readonly env: Readonly<Record<string, string>>;
  /** When the process has ended. */
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
  return spec.socket === "path" ? new OwnSockets(spec) : new SharedSockets(spec, log);
}

const noSocket: ProcessSocket = { address: null, fd: null, env: {}, release: () => {} };

/** Each process makes its own. */
class OwnSockets implements BackendSockets {
  readonly #room: Room;
  #count = 0;

  constructor(spec: WholeSpec) {
    this.#room = new Room(spec);
  }

  async next(): Promise<ProcessSocket> {
    const address = await this.#room.path(`${++this.#count}.sock`);
    return { address, fd: null, env: { GW_SOCKET: address }, release: () => remove(address) };
  }

  close(): void {
    this.#room.close();
  }
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
      return { address: path, fd, env: {}, release: () => {} };
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
  const handle = bindOnly(path);
  try {
    const helper = await spawnChild({ command: [process.execPath, "-e", LISTEN], env: {}, stdin: handle.fd, log });
    const { code, signal, stderr } = await helper.exited;
    if (code !== 0) throw new Error(`the helper that makes it listen ended with ${signal ?? code}: ${stderr}`);
  } catch (error) {
    handle.close();
    throw socketError(path, error);
  }
  return { path, fd: handle.fd, close: () => handle.close() };
}

/** A bound unix socket as Node's cluster module makes it for workers. */
function bindOnly(path: string): { readonly fd: number; close(): void } {
  type Bound = { readonly fd: number; close(): void } | number;
  const { _createServerHandle } = net as unknown as { _createServerHandle?: (path: string, a: -1, b: -1) => Bound };
  const handle = _createServerHandle?.(path, -1, -1);
  if (typeof handle === "object" && handle.fd >= 0) return handle;
  throw socketError(path, new Error(handle === undefined ? "this version of Node has no way to" : `error ${handle}`));
}

const MAX_PATH_BYTES = 103;

/** A directory, made 0700 when first needed, that belongs to the user the program runs as. */
class Room {
  readonly #spec: WholeSpec;
  #made: Promise<string> | null = null;
  #path: string | null = null;
  #forget: (() => void) | null = null;
  readonly #names = new Set<string>();

  constructor(spec: WholeSpec) {
    this.#spec = spec;
  }

  async path(name: string): Promise<string> {
    this.#made ??= this.#make();
    try {
      const path = join(await this.#made, name);
      if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Error("the path is too long for a socket; set TMPDIR");
      this.#names.add(path);
      return path;
    } catch (error) {
      if (this.#path === null) this.#made = null; // the next start may fare better
      throw socketError(tmpdir(), error);
    }
  }

  close(): void {
    this.#forget?.();
    for (const path of this.#names) remove(path);
    if (this.#path === null) return;
    try {
      rmdirSync(this.#path);
    } catch {
      // the program has put something else there: it is not ours to remove
    }
  }

  async #make(): Promise<string> {
    const { uid, gid } = this.#spec;
    const path = await mkdtemp(join(tmpdir(), "gw-"));
    this.#path = path;
    this.#forget = atExit(() => this.close());
    if (uid !== undefined || gid !== undefined) await chown(path, uid ?? -1, gid ?? -1);
    return path;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // the process has removed it itself
  }
}

function socketError(path: string, cause: unknown): GatewayError {
  return new GatewayError("GW_BACKEND_SOCKET", 503, `cannot make a socket in ${path}: ${(cause as Error).message}`, {
    cause,
  });
}
