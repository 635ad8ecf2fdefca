// kill -9 at random, and which requests a death may cost.
import { setTimeout as pause } from "node:timers/promises";
import type { Failure } from "./load.ts";
import { isAlive, processesBelow, type Role, type TreeProcess } from "./process-tree.ts";
import type { Redis } from "./redis.ts";

/** What is killed: processes of the gateway, and the Redis that it uses. */
type Victim = Role | "redis";

/** A process from the signal until it has let go of all it held; Redis until everybody is connected to it again. */
export interface Death {
  readonly role: Victim;
  readonly from: number;
  to: number;
}

/**
 * Where there is one process of a kind, the next kill waits until the supervisor has forgiven the last one: 60 s after the new
 * process was ready, which is some time after the kill. Killed before that, its pauses double and come to more than requests wait.
 */
const FORGIVEN_MS = 75_000;

/** What a process answers, and how a request that it had in hand may fail. */
const COSTS: Readonly<Record<Victim, { readonly path: string; readonly what: readonly string[] | "anything" }>> = {
  worker: { path: "/", what: "anything" }, // it takes its connections with it
  wsgi: { path: "/wsgi", what: ["502", "504", "cut"] },
  asgi: { path: "/asgi", what: ["502", "504", "cut"] },
  "php master": { path: "/php", what: ["502", "504", "cut"] },
  "php child": { path: "/php", what: ["502", "504", "cut"] },
  redis: { path: "/shop/visits", what: ["503"] }, // docs/sessions.md; limits are counted by the gateway itself meanwhile
  other: { path: "nothing", what: [] },
};

/** Whether a request was under way at what died, and failed as such a request may. */
export function isVictim({ error, from, to }: Failure, deaths: readonly Death[]): boolean {
  return deaths.some((death) => {
    const { path, what } = COSTS[death.role];
    if (!error.path.startsWith(path) || from > death.to || to < death.from) return false;
    return what === "anything" || what.includes(error.what);
  });
}

/** Kills processes below the gateway as long as asked; what is alone of its kind not again before it was forgiven. */
export async function killProcesses(root: number, deaths: Death[], goesOn: () => boolean): Promise<void> {
  const lastKill = new Map<Victim, number>();
  while (goesOn()) {
    const victim = anyOf(processesBelow(root).filter((one) => isFair(one, root, lastKill)));
    if (victim !== undefined) {
      lastKill.set(victim.role, performance.now());
      await killAndWait(victim, deaths);
    }
    await pause(200 + Math.random() * 800);
  }
}

/** Kills Redis again and again, and starts it after a while, as a service manager does. */
export async function killRedis(redis: Redis, root: number, deaths: Death[], goesOn: () => boolean): Promise<void> {
  const workers = (): readonly number[] =>
    processesBelow(root).flatMap(({ role, isZombie, pid }) => (role === "worker" && !isZombie ? [pid] : []));
  while (goesOn()) {
    await pause(1_000 + Math.random() * 4_000);
    const death: Death = { role: "redis", from: performance.now(), to: Number.POSITIVE_INFINITY };
    deaths.push(death);
    const since = redis.connections;
    await redis.kill();
    await pause(Math.random() * 2_000);
    await redis.start();
    await redis.untilConnected(workers, since);
    death.to = performance.now();
  }
}

function isFair({ role, isZombie }: TreeProcess, root: number, lastKill: ReadonlyMap<Victim, number>): boolean {
  if (role === "other" || isZombie) return false;
  if (role === "php master") {
    return performance.now() - (lastKill.get(role) ?? Number.NEGATIVE_INFINITY) > FORGIVEN_MS;
  }
  return processesBelow(root).filter((one) => one.role === role && !one.isZombie).length >= 2;
}

/** Of a random kind first: there are more of some than of others. */
function anyOf(processes: readonly TreeProcess[]): TreeProcess | undefined {
  const roles = [...new Set(processes.map(({ role }) => role))];
  const role = roles[Math.floor(Math.random() * roles.length)];
  const same = processes.filter((one) => one.role === role);
  return same[Math.floor(Math.random() * same.length)];
}

async function killAndWait({ pid, role }: TreeProcess, deaths: Death[]): Promise<void> {
  const death: Death = { role, from: performance.now(), to: Number.POSITIVE_INFINITY };
  // PHP's master takes its children with it: the supervisor ends whole groups. They are nobody's children by then.
  const family = [pid, ...processesBelow(pid).map((child) => child.pid)];
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    return; // it has just ended itself: a worker that could not start while Redis was out
  }
  deaths.push(death);
  while (family.some(isAlive)) await pause(2);
  // What the kernel has closed is known here, and in the gateway, when the loops have turned.
  await pause(20);
  death.to = performance.now();
}
