// What there is of a gateway: its processes, their descriptors and their memory, to see whether they grow.
import { expect } from "vitest";
import type { Load } from "./load.ts";
import { descriptorsOf, megabytesOf, processesBelow, type Role, type TreeProcess } from "./process-tree.ts";

/** How many processes of a kind there shall be. */
export type Whole = Readonly<Record<"worker" | "wsgi" | "asgi" | "php child" | "php master", number>>;

/** The site of these tests, with all of its processes. */
export const WHOLE: Whole = { worker: 2, wsgi: 2, asgi: 2, "php child": 3, "php master": 1 };

/** Open descriptors and memory that is a process's own; of several of a kind the largest. */
interface Sizes {
  readonly descriptors: Readonly<Record<"primary" | "workers" | "wsgi" | "asgi", number>>;
  readonly megabytes: Readonly<Record<"primary" | "workers" | "wsgi" | "asgi" | "php", number>>;
}

/** A gateway at one moment. */
export interface Figures extends Sizes {
  readonly processes: Whole;
  /** Below the gateway, also those of no known kind. */
  readonly all: number;
  readonly zombies: number;
}

/** Looks at a gateway. */
export function figuresOf(pid: number): Figures {
  const below = processesBelow(pid);
  const living = below.filter(({ isZombie }) => !isZombie);
  const count = (role: Role): number => living.filter((one) => one.role === role).length;
  return {
    processes: {
      worker: count("worker"),
      wsgi: count("wsgi"),
      asgi: count("asgi"),
      "php child": count("php child"),
      "php master": count("php master"),
    },
    all: living.length,
    zombies: below.length - living.length,
    ...sizesOf(pid, living),
  };
}

function sizesOf(pid: number, living: readonly TreeProcess[]): Sizes {
  const largest = (role: Role, of: (pid: number) => number): number =>
    Math.max(0, ...living.flatMap((one) => (one.role === role ? [of(one.pid)] : [])));
  return {
    descriptors: {
      primary: descriptorsOf(pid),
      workers: largest("worker", descriptorsOf),
      wsgi: largest("wsgi", descriptorsOf),
      asgi: largest("asgi", descriptorsOf),
    },
    megabytes: {
      primary: megabytesOf(pid),
      workers: largest("worker", megabytesOf),
      wsgi: largest("wsgi", megabytesOf),
      asgi: largest("asgi", megabytesOf),
      php: largest("php child", megabytesOf),
    },
  };
}

/** The same, once every process is there, none is too much and nothing is left of dead ones. */
export async function settledFigures(pid: number): Promise<Figures> {
  const look = () => {
    const { processes, zombies } = figuresOf(pid);
    return { processes, zombies };
  };
  await expect.poll(look, { timeout: 60_000, interval: 100 }).toEqual({ processes: WHOLE, zombies: 0 });
  return figuresOf(pid);
}

/** Expects that a gateway is back to what it had before: processes, the primary's descriptors and, but for garbage, its memory. */
export async function expectAsBefore(pid: number, before: Figures): Promise<void> {
  // What has just ended may hold something for a moment.
  const look = (): [number, boolean] => {
    const { all, descriptors } = figuresOf(pid);
    return [all, descriptors.primary <= before.descriptors.primary];
  };
  await expect.poll(look, { timeout: 20_000, interval: 100 }).toEqual([before.all, true]);
  expect(figuresOf(pid).megabytes.primary).toBeLessThanOrEqual(before.megabytes.primary + 20);
}

/**
 * Memory goes up and down with garbage, descriptors with connections: what a leak raises is their floor.
 *
 * @param requests looks at it while the load is between these two counts
 */
export async function floorOf(work: Load, pid: number, [from, to]: readonly [number, number]): Promise<Sizes> {
  await work.until(from);
  let floor = figuresOf(pid);
  do {
    floor = lesser(floor, figuresOf(pid));
    await work.until(Math.min(work.tally.requests + 100, to));
  } while (work.tally.requests < to);
  const { descriptors, megabytes } = floor;
  return { descriptors, megabytes };
}

function lesser(one: Figures, other: Figures): Figures {
  return {
    ...one,
    descriptors: least(one.descriptors, other.descriptors),
    megabytes: least(one.megabytes, other.megabytes),
  };
}

function least<T extends Readonly<Record<string, number>>>(one: T, other: T): T {
  const pairs = Object.entries(one).map(([key, value]) => [key, Math.min(value, other[key] ?? value)]);
  return Object.fromEntries(pairs) as T;
}

/** Expects that nothing has grown by more than garbage and chance explain. */
export function expectNoGrowth(early: Sizes, late: Sizes): void {
  expect(over(early.descriptors, late.descriptors, { primary: 0, workers: 2, wsgi: 0, asgi: 2 })).toEqual([]);
  const room = { primary: 10, workers: 40, wsgi: 5, asgi: 10, php: 5 };
  expect(over(early.megabytes, late.megabytes, room)).toEqual([]);
}

function over(early: Readonly<Record<string, number>>, late: typeof early, room: typeof early): string[] {
  return Object.keys(room).flatMap((key) => {
    const [before = 0, after = 0] = [early[key], late[key]];
    return after - before > (room[key] ?? 0) ? [`${key}: ${before}, then ${after}`] : [];
  });
}
