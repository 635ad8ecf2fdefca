// How much of the machine this process may use: what a control group grants counts before what the machine has.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** Where control groups are looked for; tests give folders of their own. */
export interface CgroupFolders {
  /** @default "/proc/self/cgroup" */
  list?: string;
  /** @default "/sys/fs/cgroup" */
  mount?: string;
}

/**
 * Cores that this process may keep busy: its CPU quota (docker `--cpus`, systemd `CPUQuota`) rounded up, its affinity,
 * or the machine's number, whichever is least. At least 1.
 */
export function availableCores(folders: CgroupFolders = {}): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cpuQuota(folders))));
}

/** Bytes of memory that this process and its children may use; `Infinity` where nothing limits them. */
export function memoryLimit(folders: CgroupFolders = {}): number {
  return least(folders, "memory", (folder) =>
    bytes(read(join(folder, "memory.max")) ?? read(join(folder, "memory.limit_in_bytes"))),
  );
}

function cpuQuota(folders: CgroupFolders): number {
  return least(folders, "cpu", (folder) => {
    const [quota, period] = read(join(folder, "cpu.max"))?.split(" ") ?? [
      read(join(folder, "cpu.cfs_quota_us")),
      read(join(folder, "cpu.cfs_period_us")),
    ];
    const share = Number(quota) / Number(period);
    return share > 0 ? share : Infinity; // "max", -1 and what is not there are no limit
  });
}

/** A limit of a parent binds its children, too: the least of all on the way up. */
function least(
  { list = "/proc/self/cgroup", mount = "/sys/fs/cgroup" }: CgroupFolders,
  controller: string,
  limitOf: (folder: string) => number,
): number {
  let found = Infinity;
  for (const line of (read(list) ?? "").split("\n")) {
    const [, controllers, path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    // Version 2 has one tree with an empty list of controllers; version 1 has one for each.
    const root =
      controllers === "" ? mount : controllers?.split(",").includes(controller) ? join(mount, controller) : null;
    if (root === null) continue;
    for (let folder = join(root, path); folder.startsWith(root); folder = dirname(folder)) {
      found = Math.min(found, limitOf(folder));
    }
  }
  return found;
}

function bytes(text: string | undefined): number {
  const limit = Number(text);
  // Version 1 writes the largest page-aligned number where there is no limit.
  return limit > 0 && limit < 2 ** 62 ? limit : Infinity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
