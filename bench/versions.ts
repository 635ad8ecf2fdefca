// What was measured: the versions of programs and packages, one line.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rivalPackages } from "./processes.ts";

/** The versions that programs say of themselves, as `name 1.2.3`; one that says nothing is left out. */
export function versionsOf(programs: Readonly<Record<string, readonly string[]>>): string {
  const found = Object.entries(programs).flatMap(([name, [command = name, ...words]]) => {
    const { stdout, stderr } = spawnSync(command, words, { encoding: "utf8" });
    const version = /\d+(?:\.\d+)+/.exec(`${stdout ?? ""}${stderr ?? ""}`)?.[0];
    return version === undefined ? [] : [`${name} ${version}`];
  });
  return [`Node ${process.versions.node}`, ...found].join(", ");
}

/** The version of a package of `rivalPackages`. */
export function rivalVersion(name: string): string {
  const file = join(rivalPackages(), "node_modules", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
