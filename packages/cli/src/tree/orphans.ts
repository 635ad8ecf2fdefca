// Workers of a gateway that was killed: they hold its addresses until they have finished, or their guard ends them.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isGatewayError } from "@gw/core";
import { WORKER_MARK } from "./worker-place.ts";

/** Their guard kills them after five seconds. */
const PATIENCE_MS = 8_000;
/** A process that ends is no worker to see any more a moment before its sockets are closed. */
const ENDING_MS = 1_000;
/** The same for whom we have never seen: what is in use for other reasons shall be told soon. */
const UNSEEN_MS = 100;
const PAUSE_MS = 50;

/**
 * Binds addresses; where one is in use and orphaned workers are about, tries again until they are gone.
 *
 * @param tell takes a line for people, at most once
 * @throws what `bind` throws
 */
export async function afterOrphans<T>(bind: () => Promise<T>, tell: (line: string) => void): Promise<T> {
  const begun = performance.now();
  let tryUntil = begun + UNSEEN_MS;
  let isTold = false;
  for (;;) {
    try {
      return await bind();
    } catch (error) {
      if (!isGatewayError(error, "GW_BIND_IN_USE")) throw error;
      const now = performance.now();
      if (hasOrphans()) {
        tryUntil = Math.min(now + ENDING_MS, begun + PATIENCE_MS);
        if (!isTold) tell(`gw: waiting for workers of a gateway that was killed: ${error.message}\n`);
        isTold = true;
      }
      if (now > tryUntil) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** Whether a worker runs whose parent is not its primary, started in our folder: of this gateway, most likely. Sees those of our user (Linux). */
function hasOrphans(): boolean {
  try {
    return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isOrphan(name));
  } catch {
    return false; // no /proc
  }
}

function isOrphan(pid: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) !== process.cwd()) return false;
    if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${WORKER_MARK}=`)) return false;
    // pid (name) state parent …; a name may hold blanks and brackets
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 2);
    return state !== "Z" && argumentsOf(parent as string) !== argumentsOf(pid);
  } catch {
    return false; // it has ended, or is somebody else's
  }
}

/** A worker runs the command line of its primary, whatever the program is called there. */
function argumentsOf(pid: string): string {
  const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
  return line.slice(line.indexOf("\0"));
}
