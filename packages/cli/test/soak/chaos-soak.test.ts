// R-O5, R-O11: what is killed costs the requests it had in hand, and nothing is left behind. GW_SOAK=1 is the whole of it
// (docs/proof/chaos.md); by default a twentieth runs.
import { setTimeout as pause } from "node:timers/promises";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { type Server, serving } from "../gw.ts";
import { http1, http2, webSocket } from "./clients.ts";
import { type Client, type Failure, type Load, load, type Tally } from "./load.ts";
import { descriptorsOf, isAlive, megabytesOf, processesBelow, type Role, type TreeProcess } from "./process-tree.ts";
import { allTasks, phpFpmName, siteFolder, siteWords } from "./site.ts";

const SCALE = Number(process.env.GW_SOAK ?? 0.05);
const REQUESTS = 200_000 * SCALE;
const CHAOS_MS = 300_000 * SCALE;
/** Where there is one process of a kind, the next kill waits until the supervisor has forgiven the last one. */
const FORGIVEN_MS = 61_000;

/** A process from the signal until it has let go of all it held. */
interface Death {
  readonly role: Role;
  readonly from: number;
  to: number;
}

function clientsOf(url: string): readonly Client[] {
  return [
    http1(url, allTasks),
    http1(url, allTasks, { first: 4 }),
    http1(url, allTasks, { first: 6 }),
    http1(url, allTasks, { isKept: false, first: 2 }),
    http1(url, allTasks, { isKept: false, first: 5 }),
    http2(url, allTasks),
    http2(url, allTasks, { first: 3 }),
    webSocket(url),
  ];
}

const SERVES: Readonly<Record<Role, string>> = {
  worker: "/",
  wsgi: "/wsgi",
  asgi: "/asgi",
  "php master": "/php",
  "php child": "/php",
  other: "nothing",
};

/** Whether a request was under way at a process that died, and failed as such a request may. */
function isVictim({ error, from, to }: Failure, deaths: readonly Death[]): boolean {
  return deaths.some((death) => {
    if (!error.path.startsWith(SERVES[death.role]) || from > death.to || to < death.from) return false;
    // A worker takes its connections with it; of a program behind it the gateway tells.
    return death.role === "worker" || error.what === "502" || error.what === "504" || error.what === "cut";
  });
}

/** What there is of a gateway, to see whether it grows. */
function figuresOf(pid: number) {
  const below = processesBelow(pid);
  const workers = below.filter(({ role }) => role === "worker").map((one) => one.pid);
  const count = (role: Role): number => below.filter((one) => one.role === role && !one.isZombie).length;
  return {
    processes: { worker: count("worker"), wsgi: count("wsgi"), asgi: count("asgi"), php: count("php child") },
    zombies: below.filter(({ isZombie }) => isZombie).length,
    descriptors: { primary: descriptorsOf(pid), workers: Math.max(...workers.map(descriptorsOf)) },
    megabytes: {
      primary: megabytesOf(pid),
      workers: Math.max(...workers.map(megabytesOf)),
      python: Math.max(...below.filter(({ role }) => role === "wsgi").map((one) => megabytesOf(one.pid))),
    },
  };
}

/** The same, once nothing is on its way any more. */
async function settledFigures(pid: number, expected: object) {
  await expect
    .poll(() => [figuresOf(pid).processes, figuresOf(pid).zombies], { timeout: 60_000, interval: 100 })
    .toEqual([expected, 0]);
  return figuresOf(pid);
}

const WHOLE = { worker: 2, wsgi: 2, asgi: 2, php: 3 };

/** Kills at random until the time is over; what is alone of its kind not again before it was forgiven. */
async function killAtRandom(root: number, deaths: Death[]): Promise<void> {
  const over = performance.now() + CHAOS_MS;
  const lastKill = new Map<Role, number>();
  while (performance.now() < over) {
    const victim = anyOf(processesBelow(root).filter((one) => isFair(one, root, lastKill)));
    if (victim !== undefined) {
      lastKill.set(victim.role, performance.now());
      await killAndWait(victim, deaths);
    }
    await pause(200 + Math.random() * 800);
  }
}

function isFair({ role, isZombie }: TreeProcess, root: number, lastKill: ReadonlyMap<Role, number>): boolean {
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
  deaths.push(death);
  // PHP's master takes its children with it: the supervisor ends whole groups. They are nobody's children by then.
  const family = [pid, ...processesBelow(pid).map((child) => child.pid)];
  process.kill(pid, "SIGKILL");
  while (family.some(isAlive)) await pause(2);
  // What the kernel has closed is known here, and in the gateway, when the loops have turned.
  await pause(20);
  death.to = performance.now();
}

function report(title: string, { asked, failed, kinds, excused }: Tally, facts: object): void {
  if (process.env.GW_SOAK === undefined) return;
  const maps = { kinds: Object.fromEntries(kinds), excused: Object.fromEntries(excused) };
  console.log(title, JSON.stringify({ asked, failed, ...facts, ...maps }, null, 1));
}

async function wholeSite(): Promise<Server> {
  const server = await serving(siteFolder(), ["serve", ...siteWords, "-p", "0", "--h2c", "-w", "2"]);
  await settledFigures(server.pid, WHOLE);
  return server;
}

const onSite = requires(phpFpmName, "python3", "/proc/self/fd");

/**
 * Memory goes up and down with garbage: what grows is its floor.
 *
 * @returns the least memory of the busiest worker between two shares of the requests
 */
async function floorOf(work: Load, pid: number, [from, to]: readonly [number, number]): Promise<number> {
  await work.until(REQUESTS * from);
  let floor = Number.POSITIVE_INFINITY;
  do {
    floor = Math.min(floor, figuresOf(pid).megabytes.workers);
    await pause(100);
  } while (work.tally.asked < REQUESTS * to);
  return floor;
}

onSite(
  `R-O11: ${REQUESTS} mixed requests leave no process, no descriptor and no memory behind`,
  async () => {
    const server = await wholeSite();
    const work = load(clientsOf(server.urls[0] as string));
    const early = await floorOf(work, server.pid, [0.2, 0.5]); // every pool is filled, every heap has found its size
    const before = figuresOf(server.pid);
    const late = await floorOf(work, server.pid, [0.7, 1]);
    const after = figuresOf(server.pid);
    await work.end();
    report("calm", work.tally, { before, after, floors: { early, late } });
    expect([...work.tally.wrong]).toEqual([]);
    expect(after.processes).toEqual(WHOLE);
    expect(after.descriptors.primary).toBeLessThanOrEqual(before.descriptors.primary + 2);
    expect(after.descriptors.workers).toBeLessThanOrEqual(before.descriptors.workers + 10); // connections come and go
    expect(after.megabytes.primary).toBeLessThanOrEqual(before.megabytes.primary + 30);
    expect(late).toBeLessThanOrEqual(early + 60);
    expect(after.megabytes.python).toBeLessThanOrEqual(before.megabytes.python + 10);
  },
  60_000 + 1_200_000 * SCALE,
);

onSite(
  `R-O5: ${CHAOS_MS / 1_000} s of kill -9 at random under load cost what was in hand, and nothing is left behind`,
  async () => {
    const server = await wholeSite();
    const url = server.urls[0] as string;
    const idle = await settledFigures(server.pid, WHOLE);
    const deaths: Death[] = [];
    const chaos = load(clientsOf(url), (failure) => isVictim(failure, deaths));
    await killAtRandom(server.pid, deaths);
    await chaos.end();
    const recovered = await settledFigures(server.pid, WHOLE);
    const kills: Partial<Record<Role, number>> = {};
    for (const { role } of deaths) kills[role] = (kills[role] ?? 0) + 1;
    report("chaos", chaos.tally, { kills, idle, recovered });
    expect([...chaos.tally.wrong]).toEqual([]);
    expect(recovered.descriptors.primary).toBeLessThanOrEqual(idle.descriptors.primary + 2);
    expect(recovered.megabytes.primary).toBeLessThanOrEqual(idle.megabytes.primary + 30);
    const fresh = load(clientsOf(url));
    await fresh.until(200);
    await fresh.end();
    expect([...fresh.tally.wrong]).toEqual([]);

    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(processesBelow(server.pid)).toEqual([]);
  },
  120_000 + 400_000 * SCALE,
);
