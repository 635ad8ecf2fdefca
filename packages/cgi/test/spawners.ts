// The ways to start programs: what holds for one must hold for all.
import { describe } from "vitest";
import type { Spawner } from "../src/index.ts";

/** Every spawner there is. */
export const spawners: readonly Exclude<Spawner, "auto">[] = ["python", "node", "inprocess"];

/** Runs the same tests with every spawner. */
export function onEverySpawner(suite: (spawner: Exclude<Spawner, "auto">) => void): void {
  for (const spawner of spawners) describe(`started by ${spawner}`, () => suite(spawner));
}
