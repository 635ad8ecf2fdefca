// A shell that outlives us for a moment: when we are killed, it ends the programs that we kept running.
import { type ChildProcess, spawn } from "node:child_process";
import { withoutInherited } from "./inherited-descriptors.ts";

// It reads `+ id` and `- id` until we close its input, or are no more. It has
// a group of its own, so what is meant for ours does not reach it.
const SCRIPT = `trap '' TERM INT HUP QUIT
groups=' '
while read -r sign id; do
  rest=' '
  for one in $groups; do [ "$one" = "$id" ] || rest="$rest$one "; done
  [ "$sign" = + ] && rest="$rest$id "
  groups=$rest
done
[ "$groups" = ' ' ] && exit
for one in $groups; do kill -s TERM -- "-$one"; done
sleep 5
for one in $groups; do kill -s KILL -- "-$one"; done`;

const guarded = new Set<number>();
let shell: ChildProcess | null = null;

/**
 * Has a process group ended if our process dies without doing it: by KILL, or a crash.
 *
 * One shell guards all groups; it is there only while there are any. Without a
 * POSIX shell nothing is guarded.
 *
 * @param group id of the process group
 * @returns ends the guard: the group is gone
 */
export function guard(group: number): () => void {
  guarded.add(group);
  if (shell === null) start();
  else tell(shell, "+", group);
  return () => release(group);
}

function release(group: number): void {
  if (!guarded.delete(group) || shell === null) return;
  tell(shell, "-", group);
  if (guarded.size > 0) return;
  shell.stdin?.end();
  shell = null;
}

function start(): void {
  if (process.platform === "win32") return;
  const started = spawn("/bin/sh", ["-c", SCRIPT], {
    detached: true,
    env: { PATH: "/usr/bin:/bin", NODE_V8_COVERAGE: undefined },
    stdio: withoutInherited(["pipe", "ignore", "ignore"]),
  });
  shell = started;
  started.on("error", () => {});
  started.stdin?.on("error", () => {});
  started.once("exit", () => {
    if (shell !== started) return;
    shell = null; // somebody has killed it
    if (guarded.size > 0) start();
  });
  for (const group of guarded) tell(started, "+", group);
}

function tell({ stdin }: ChildProcess, sign: "+" | "-", group: number): void {
  stdin?.write(`${sign} ${group}\n`);
}
