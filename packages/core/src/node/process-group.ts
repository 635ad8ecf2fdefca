// A process group from its start to the end of its last member.
import { readdirSync, readFileSync } from "node:fs";
import { atExit } from "./at-exit.ts";

const living = new Set<ProcessGroup>();
let watched = false;

const POLL_MS = 20;
const KILL_PATIENCE_MS = 1_000;

/** The group of one child: signals go to all of its processes; none outlives us. */
export class ProcessGroup {
  readonly #id: number;
  #gone = false;

  constructor(id: number) {
    this.#id = id;
    living.add(this);
    if (watched) return;
    watched = true;
    atExit(() => {
      for (const group of living) group.signal("SIGKILL");
    });
  }

  /** Sends a signal to every member; false when there is none left. */
  signal(name: NodeJS.Signals | 0): boolean {
    if (this.#gone) return false; // the id may belong to somebody else by now
    try {
      process.kill(-this.#id, name);
      return true;
    } catch (error) {
      // EPERM: they run as another user; they are there all the same.
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  }

  /** From now on nothing is sent to the group: nobody is left in it, or they may live. */
  release(): void {
    this.#gone = true;
    living.delete(this);
  }

  /** For when the first process has ended: gives the others the grace time, then kills them. Settles when all are gone. */
  async end(graceMs: number): Promise<void> {
    if (await this.#emptied(graceMs)) return;
    this.signal("SIGKILL");
    await this.#emptied(KILL_PATIENCE_MS); // longer only for one that the kernel holds
    this.release();
  }

  async #emptied(patienceMs: number): Promise<boolean> {
    const startedAt = performance.now();
    let lookAtMs = 0;
    while (this.signal(0)) {
      const waitedMs = performance.now() - startedAt;
      if (waitedMs >= lookAtMs) {
        if (!hasLivingMember(this.#id)) break;
        lookAtMs = Math.max(POLL_MS, 2 * waitedMs);
      }
      if (waitedMs >= patienceMs) return false;
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
    this.release();
    return true;
  }
}

/**
 * Whether a process of the group still runs. In a container without an init
 * nobody reaps orphans: dead members stay in the table and can be signalled.
 */
function hasLivingMember(group: number): boolean {
  try {
    return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isLivingMember(name, group));
  } catch {
    return true; // no /proc
  }
}

function isLivingMember(pid: string, group: number): boolean {
  try {
    // pid (name) state ppid pgrp …; a name may hold blanks and brackets
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
    return Number(pgrp) === group && state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}
