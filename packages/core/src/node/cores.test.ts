import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { availableCores, type CgroupFolders, memoryLimit } from "./cores.ts";

const made: string[] = [];

/** A tree of control groups: the list of ours, and files below the mount. */
function cgroups(list: string, files: Readonly<Record<string, string>>): CgroupFolders {
  const folder = mkdtempSync(join(tmpdir(), "gw-cgroup-"));
  made.push(folder);
  writeFileSync(join(folder, "list"), list);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, "mount", name)), { recursive: true });
    writeFileSync(join(folder, "mount", name), `${text}\n`);
  }
  return { list: join(folder, "list"), mount: join(folder, "mount") };
}

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

const all = availableParallelism();

describe("the cores that may be used", () => {
  test.each([
    ["version 2, a quota of half a core", "0::/app\n", { "app/cpu.max": "50000 100000" }, 1],
    ["version 2, no quota", "0::/app\n", { "app/cpu.max": "max 100000" }, all],
    [
      "version 2, the parent's quota binds",
      "0::/a/b\n",
      { "a/cpu.max": "90000 100000", "a/b/cpu.max": "max 100000" },
      1,
    ],
    ["version 2, in a container", "0::/\n", { "cpu.max": "20000 100000" }, 1],
    ["version 2, more than the machine has", "0::/\n", { "cpu.max": "99900000 100000" }, all],
    [
      "version 1",
      "4:memory:/app\n3:cpu,cpuacct:/app\n",
      { "cpu/app/cpu.cfs_quota_us": "80000", "cpu/app/cpu.cfs_period_us": "100000" },
      1,
    ],
    [
      "version 1, no quota",
      "3:cpu,cpuacct:/\n",
      { "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000" },
      all,
    ],
    ["no control groups", "", {}, all],
  ])("%s", (_title, list, files, cores) => {
    expect(availableCores(cgroups(list, files))).toBe(cores);
  });

  test.runIf(all > 1)("a quota is rounded up", () => {
    expect(availableCores(cgroups("0::/\n", { "cpu.max": "110000 100000" }))).toBe(2);
  });

  test("a machine without /proc has its own number", () => {
    expect(availableCores({ list: "/nowhere", mount: "/nowhere" })).toBe(all);
  });
});

test.each([
  ["version 2", "0::/app\n", { "app/memory.max": "1000000" }, 1_000_000],
  ["version 2, none", "0::/app\n", { "app/memory.max": "max" }, Infinity],
  ["version 1", "2:memory:/\n", { "memory/memory.limit_in_bytes": "5000" }, 5_000],
  ["version 1, none", "2:memory:/\n", { "memory/memory.limit_in_bytes": "9223372036854771712" }, Infinity],
])("the memory limit: %s", (_title, list, files, limit) => {
  expect(memoryLimit(cgroups(list, files))).toBe(limit);
});
