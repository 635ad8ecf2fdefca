// The directory of a backend's unix sockets, or of its files: only we and the user of the program can enter.
import { rmdirSync, unlinkSync } from "node:fs";
import { chown, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "../model/errors.ts";
import { atExit } from "./at-exit.ts";
import type { WholeSpec } from "./backend-spec.ts";
import { guardFolder } from "./guardian.ts";

const MAX_PATH_BYTES = 103;

/** A directory, made 0700 when first needed, that belongs to the user the program runs as. */
export class Room {
  readonly #spec: WholeSpec;
  #made: Promise<string> | null = null;
  #path: string | null = null;
  #forget: (() => void) | null = null;
  #unguard: (() => void) | null = null;
  readonly #names = new Set<string>();

  constructor(spec: WholeSpec) {
    this.#spec = spec;
  }

  /** Its own path. */
  folder(): Promise<string> {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** The path of a name in it. @throws GatewayError `GW_BACKEND_SOCKET` */
  async path(name: string): Promise<string> {
    try {
      const path = join(await this.folder(), name);
      if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Error("the path is too long for a socket; set TMPDIR");
      this.#names.add(path);
      return path;
    } catch (error) {
      if (this.#path === null) this.#made = null; // the next start may fare better
      throw socketError(tmpdir(), error);
    }
  }

  /** Removes the socket of a process that has ended. */
  remove(path: string): void {
    this.#names.delete(path);
    removeSocket(path);
  }

  /** Removes it, with the sockets in it. */
  close(): void {
    this.#forget?.();
    for (const path of this.#names) removeSocket(path);
    if (this.#path === null) return;
    try {
      rmdirSync(this.#path);
    } catch {
      // the program has put something else there: it is not ours to remove
    }
    this.#unguard?.();
  }

  async #make(): Promise<string> {
    const { uid, gid } = this.#spec;
    const path = await mkdtemp(join(tmpdir(), "gw-"));
    this.#path = path;
    this.#forget = atExit(() => this.close());
    this.#unguard = guardFolder(path);
    if (uid !== undefined || gid !== undefined) await chown(path, uid ?? -1, gid ?? -1);
    return path;
  }
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // the process has removed it itself
  }
}

/** What kept a socket from being made. */
export function socketError(path: string, cause: unknown): GatewayError {
  return new GatewayError("GW_BACKEND_SOCKET", 503, `cannot make a socket in ${path}: ${(cause as Error).message}`, {
    cause,
  });
}
