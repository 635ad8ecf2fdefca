// Servers that tests start: each leads a process group, and the whole group is gone after the test.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { groupOf, isAlive } from "./processes.ts";

/** Starts a program as the leader of a process group of its own. */
export function startGroup([program, ...args]: readonly [string, ...string[]], options: SpawnOptions): ChildProcess {
  return spawn(program, args, { ...options, detached: true });
}

/** Asks a group to end, then kills it; settles when nobody of it is left. Servers that fork first leave workers behind. */
export async function endGroup({ pid }: ChildProcess): Promise<void> {
  if (pid === undefined) return;
  signal(pid, "SIGTERM");
  for (let tries = 0; membersOf(pid).length > 0; tries++) {
    if (tries >= 100) signal(pid, "SIGKILL");
    if (tries >= 500) throw new Error(`processes ${membersOf(pid).join()} of group ${pid} do not end`);
    await setTimeout(10);
  }
}

/** Living members of a process group. */
export function membersOf(group: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => groupOf(pid) === group && isAlive(pid));
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // nobody is left
  }
}
