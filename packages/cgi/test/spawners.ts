// The ways to start programs: what holds for one must hold for all.
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { type DeclareTest, isThere, requires } from "@gw-private/requires";
import { beforeAll, describe, expect, type TestAPI, test } from "vitest";
import type { Spawner } from "../src/index.ts";
import { endGroup, startGroup } from "./groups.ts";
import { temporaryDirectory } from "./programs.ts";

/** Every spawner of ours. */
export const spawners: readonly Exclude<Spawner, "auto">[] = ["python", "node", "inprocess"];

/** What declares the tests of a suite. */
export interface Tests {
  readonly test: TestAPI;
  readonly requires: (...needs: readonly string[]) => DeclareTest;
}

/** Tests of a suite that fcgiwrap cannot pass: titles, and what it lacks. docs/cgi-host.md tells users the same. */
export type Exceptions = readonly (readonly [title: RegExp, why: string])[];

/** Makes the same tests for every spawner of ours, and with exceptions also for fcgiwrap. */
export function onEverySpawner(suite: (spawner: Spawner, tests: Tests) => void, exceptions?: Exceptions): void {
  for (const spawner of spawners) describe(`started by ${spawner}`, () => suite(spawner, { test, requires }));
  if (exceptions !== undefined) describe("started by fcgiwrap", () => underFcgiwrap(suite, exceptions));
}

function underFcgiwrap(suite: (spawner: Spawner, tests: Tests) => void, exceptions: Exceptions): void {
  if (!isThere("fcgiwrap")) return requires("fcgiwrap")("runs the same tests", () => {});
  const path = `${temporaryDirectory()}/fcgiwrap.sock`;
  beforeAll(() => startFcgiwrap(path));
  const used = new Set<RegExp>();
  const isLeftOut = (title: string): boolean => {
    const found = exceptions.filter(([pattern]) => pattern.test(title));
    for (const [pattern] of found) used.add(pattern);
    return found.length > 0;
  };
  suite(`fastcgi:unix:${path}`, {
    test: leavingOut(isLeftOut),
    requires:
      (...needs) =>
      (title, ...rest) =>
        isLeftOut(title) ? undefined : requires(...needs)(title, ...rest),
  });
  test("every exception names a test", () => {
    expect(exceptions.filter(([pattern]) => !used.has(pattern))).toEqual([]);
  });
}

/** vitest's `test`, without the tests that are left out. */
function leavingOut(isLeftOut: (title: string) => boolean): TestAPI {
  type Declare = (title: string, ...rest: unknown[]) => unknown;
  return new Proxy(test, {
    apply: (_, __, [title, ...rest]) => (isLeftOut(title) ? undefined : (test as Declare)(title, ...rest)),
    get: (target, name) => {
      if (name !== "each") return Reflect.get(target, name);
      return (rows: readonly unknown[]) => (title: string, body: () => void) => {
        const left = rows.filter((row) => !isLeftOut(title.replace("%s", String([row].flat()[0]))));
        if (left.length > 0) test.each(left)(title, body);
      };
    },
  });
}

/** Starts fcgiwrap on a unix socket; it is gone, with its workers, after the tests. */
async function startFcgiwrap(path: string): Promise<() => Promise<void>> {
  const server = startGroup(["fcgiwrap", "-f", "-c", "16", "-s", `unix:${path}`], {
    stdio: "ignore",
    env: { PATH: process.env.PATH }, // what it has itself it hands on to programs
  });
  for (let tries = 0; !(await accepts(path)); tries++) {
    if (tries === 500) throw new Error("fcgiwrap does not start");
    await setTimeout(10);
  }
  return () => endGroup(server);
}

function accepts(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}
