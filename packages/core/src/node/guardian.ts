// A shell that outlives us for a moment: when we are killed, it ends the programs that we kept running and removes their sockets.
import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { withoutInherited } from "./inherited-descriptors.ts";

// It reads `+ group`, `- group`, `+ /folder`, `- /folder` until we close its
// input, or are no more. It has a group of its own, so what is meant for ours
// does not reach it. A folder may belong to the user of a program: it is
// entered before anything in it is removed, so that nobody can put a link to
// another one in its place meanwhile.
const SCRIPT = `trap '' TERM INT HUP QUIT
groups=' '
while read -r sign what; do
  case $what in
  /*)
    count=$#
    while [ "$count" -gt 0 ]; do
      [ "$1" = "$what" ] || set -- "$@" "$1"
      shift
      count=$((count - 1))
    done
    [ "$sign" = - ] || set -- "$@" "$what" ;;
  *)
    rest=' '
    for one in $groups; do [ "$one" = "$what" ] || rest="$rest$one "; done
    [ "$sign" = - ] || rest="$rest$what "
    groups=$rest ;;
  esac
done
for one in $groups; do kill -s TERM -- "-$one"; done
tenths=50
while [ "$groups" != ' ' ] && [ "$tenths" -gt 0 ]; do
  if sleep 0.1; then tenths=$((tenths - 1)); else sleep 1; tenths=$((tenths - 10)); fi
  rest=' '
  for one in $groups; do kill -s 0 -- "-$one" && rest="$rest$one "; done
  groups=$rest
done
for one in $groups; do kill -s KILL -- "-$one"; done
for room; do
  cd -P -- "$room" && [ "$(pwd -P)" = "$room" ] && rm -f -- ./*
  cd / && rmdir -- "$room"
done`;

/** Groups (their ids) and folders (their paths). */
const guarded = new Set<string>();
let shell: ChildProcess | null = null;

/**
 * Has a process group ended if our process dies without doing it: by KILL, or a crash.
 *
 * One shell guards everything; it is there only while there is something to guard. Without a
 * POSIX shell nothing is guarded.
 *
 * @param group id of the process group
 * @returns ends the guard: the group is gone
 */
export function guardGroup(group: number): () => void {
  return guard(String(group));
}

/**
 * Has a folder of ours removed, with the files and sockets in it, if our process dies without doing it: after the groups have
 * ended. Folders in it stay, and so does it then.
 *
 * @returns ends the guard: the folder is gone
 */
export function guardFolder(path: string): () => void {
  const real = realpathSync(path);
  return real.includes("\n") ? (): void => {} : guard(real);
}

function guard(what: string): () => void {
  guarded.add(what);
  if (shell === null) start();
  else tell(shell, "+", what);
  return () => release(what);
}

function release(what: string): void {
  if (!guarded.delete(what) || shell === null) return;
  tell(shell, "-", what);
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
  for (const what of guarded) tell(started, "+", what);
}

function tell({ stdin }: ChildProcess, sign: "+" | "-", what: string): void {
  stdin?.write(`${sign} ${what}\n`);
}
