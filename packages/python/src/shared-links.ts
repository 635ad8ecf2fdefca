// Connections of this gateway process to workers that run once for several of them.
import { connect, type Socket } from "node:net";
import type { Backend } from "@gw/core";
import type { AttachedProcess, ChildExit } from "@gw/core/node";

/** What becomes of a worker. */
export interface SharedLinkEvents {
  /** We are connected to one. */
  attach(process: AttachedProcess): Promise<void>;
  /** It is being replaced: it gets no more requests of ours, and is let go when it has none left. */
  leave(pid: number): void;
}

/** Follows the addresses of a backend that another process runs. */
export class SharedLinks {
  readonly #backend: Backend;
  readonly #events: SharedLinkEvents;
  readonly #pids = new Set<number>();

  constructor(backend: Backend, events: SharedLinkEvents) {
    this.#backend = backend;
    this.#events = events;
  }

  /** Connects to what is new and leaves what is on its way out. @returns settles when all of it is connected */
  async sync(): Promise<void> {
    const { addresses, processes } = this.#backend;
    const serving = processes.filter(
      ({ state, address }) => state === "ready" && address !== null && addresses.includes(address),
    );
    const pids = new Set(serving.map(({ pid }) => pid));
    for (const pid of [...this.#pids]) {
      if (pids.has(pid)) continue;
      this.#pids.delete(pid);
      this.#events.leave(pid);
    }
    const fresh = serving.filter(({ pid }) => !this.#pids.has(pid));
    await Promise.all(fresh.map(({ pid, address }) => this.#connect(address as string, pid)));
  }

  async #connect(address: string, pid: number): Promise<void> {
    this.#pids.add(pid);
    const control = connect(address);
    const exited = new Promise<ChildExit>((done) => {
      control.once("close", () => {
        this.#pids.delete(pid);
        done({ code: null, signal: null, timedOut: false, stderr: "" });
      });
    });
    // One that is gone by now is told of in the next change.
    await this.#events
      .attach({ pid, address, control, exited, signal: (name) => signalShared(pid, name, control) })
      .catch(() => control.destroy());
  }
}

/** The process is not ours alone: we end our connection; only its stacks can be asked for by everybody. */
function signalShared(pid: number, name: NodeJS.Signals, control: Socket): void {
  if (name !== "SIGUSR1") return void control.destroy();
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
