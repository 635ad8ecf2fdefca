// The processes below a gateway, as the kernel has them (Linux).
import { readdirSync, readFileSync } from "node:fs";

/** What a process of the site is. */
export type Role = "worker" | "wsgi" | "asgi" | "php master" | "php child" | "other";

/** One process below the gateway. */
export interface TreeProcess {
  readonly pid: number;
  readonly parent: number;
  readonly role: Role;
  readonly isZombie: boolean;
}

/** Every process below this one. */
export function processesBelow(root: number): readonly TreeProcess[] {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? read(Number(name)) : []));
  const known = new Set([root]);
  const below: TreeProcess[] = [];
  // Children may have smaller ids than their parents.
  for (let before = -1; before !== below.length; ) {
    before = below.length;
    for (const one of all) {
      if (known.has(one.pid) || !known.has(one.parent)) continue;
      known.add(one.pid);
      below.push(one);
    }
  }
  return below;
}

function read(pid: number): TreeProcess[] {
  try {
    // pid (name) state parent …
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
    return [{ pid, parent: Number(parent), role: roleOf(command), isZombie: state === "Z" }];
  } catch {
    return []; // it has just ended
  }
}

function roleOf(command: string): Role {
  if (/bin\/gw\.js serve /.test(command)) return "worker";
  if (command.includes("php-fpm: master")) return "php master";
  if (command.includes("php-fpm: pool")) return "php child";
  if (command.includes("gw_worker.py wsgi")) return "wsgi";
  return command.includes("gw_worker.py asgi") ? "asgi" : "other";
}

/** Whether there is such a process that has not ended. */
export function isAlive(pid: number): boolean {
  return read(pid).some(({ isZombie }) => !isZombie);
}

/** Open descriptors of a process; 0 if it has just ended. */
export function descriptorsOf(pid: number): number {
  return ofLiving(() => readdirSync(`/proc/${pid}/fd`).length);
}

/** Memory of a process that is its own, megabytes; 0 if it has just ended. */
export function megabytesOf(pid: number): number {
  const status = (): string => readFileSync(`/proc/${pid}/status`, "utf8");
  return ofLiving(() => Math.round(Number(/^RssAnon:\s+(\d+)/m.exec(status())?.[1] ?? 0) / 1_024));
}

function ofLiving(look: () => number): number {
  try {
    return look();
  } catch {
    return 0;
  }
}
