// Every mount of a gateway with its state and its numbers, asked for or not yet. Pure.
import type { BackendState, Description, Status } from "@gw/core";
import { appWords } from "../print.ts";
import type { GatewayStatus } from "./control.ts";
import { labelsOf, type MetricFamily, parseExposition } from "./exposition.ts";

/** What is counted at a mount, over all workers. */
export interface MountNumbers {
  /** Requests that have ended. */
  readonly requests: number;
  /** Those answered with 5xx. */
  readonly failed: number;
  /** Requests that have not ended. */
  readonly inFlight: number;
  /** Of those, the ones that wait: for a place, for a program, for a connection. */
  readonly waiting: number;
}

/** A mount, or the app for whatever is in no mount. */
export interface MountStatus {
  /** Its place: `/app`, `admin.example.com`; `/` for what is in none. */
  readonly where: string;
  /** What is there: `php ./www`. */
  readonly app: string;
  /** Of its app, as the newest worker sees it. */
  readonly state: BackendState;
  readonly error: string | null;
  /** Taken out of service by an operator. */
  readonly isDrained: boolean;
  /** `null`: nothing is counted (`--no-metrics`). */
  readonly numbers: MountNumbers | null;
}

/** What the admin listener tells of a gateway. */
export interface WholeStatus extends GatewayStatus {
  /** By place. */
  readonly mounts: readonly MountStatus[];
}

/** Place of whatever is in no mount. */
export const REST = "/";

/** Adds the mounts. @param families metrics of all processes */
export function wholeStatus(status: GatewayStatus, families: readonly MetricFamily[]): WholeStatus {
  const { description } = status;
  const apps = new Map<string, Description>();
  if (description !== null) {
    collectMounts(description, apps);
    const rest = restOf(description);
    if (rest !== null && !apps.has(REST)) apps.set(REST, rest);
  }
  const mounts = [...apps].map(([where, app]): MountStatus => {
    const found = where === REST ? restStatus(status.status, apps) : statusAt(status.status, where);
    return {
      where,
      app: appWords(app),
      state: found?.state ?? "ready",
      error: found === null ? null : errorIn(found),
      isDrained: status.drained.includes(where),
      numbers: numbersOf(where, families),
    };
  });
  const strays = description === null || apps.has(REST) ? [] : straysOf(families);
  return { ...status, mounts: [...mounts, ...strays].sort((a, b) => (a.where < b.where ? -1 : 1)) };
}

/** Requests that were for no mount, of a gateway with nothing else. */
function straysOf(families: readonly MetricFamily[]): readonly MountStatus[] {
  const numbers = numbersOf(REST, families);
  if (numbers === null || numbers.requests === 0) return [];
  return [{ where: REST, app: "no app", state: "ready", error: null, isDrained: false, numbers }];
}

/** The same, from metrics as text. */
export function wholeStatusOf(status: GatewayStatus, metrics: string): WholeStatus {
  return wholeStatus(status, parseExposition(metrics));
}

/** The outermost mounts. */
function collectMounts({ at, children = [] }: Description, into: Map<string, Description>): void {
  for (const child of children) {
    if (child.at !== undefined) into.set(child.at, child.children?.[0] ?? child);
    else if (at === undefined) collectMounts(child, into);
  }
}

/** What answers where no mount is: the last app of the mounts, or the app alone. */
function restOf(description: Description): Description | null {
  const { kind, children = [] } = description;
  if (kind !== "pipeline" && kind !== "mounts") return description;
  const last = children.at(-1);
  return last === undefined || last.at !== undefined ? null : restOf(last);
}

/** The status of a mount, wherever in the pipeline it is. */
function statusAt(status: Status | null, place: string): Status | null {
  if (status === null || status.name === place) return status;
  for (const child of status.children ?? []) {
    const found = statusAt(child, place);
    if (found !== null) return found;
  }
  return null;
}

/** The status of the app for the rest: of all without mounts, else of what stands beside them. */
function restStatus(status: Status | null, apps: ReadonlyMap<string, Description>): Status | null {
  if (status === null || apps.size === 1) return status;
  const { name, children = [] } = status;
  if (name === "mounts") return children.find((child) => !apps.has(child.name)) ?? null;
  return name === "pipeline" ? restStatus(children.at(-1) ?? null, apps) : null;
}

/** The error of the part that has one. */
function errorIn({ error, children = [] }: Status): string | null {
  return error ?? children.map(errorIn).find((one) => one !== null) ?? null;
}

function numbersOf(where: string, families: readonly MetricFamily[]): MountNumbers | null {
  const requests = families.find(({ name }) => name === "gw_http_requests_total");
  if (requests === undefined) return null;
  const mine = (labels: Readonly<Record<string, string>>): boolean => labels.app === where;
  return {
    requests: sumOf(requests, mine),
    failed: sumOf(requests, (labels) => mine(labels) && labels.status?.startsWith("5") === true),
    inFlight: sumOf(
      families.find(({ name }) => name === "gw_http_requests_in_flight"),
      mine,
    ),
    waiting: sumOf(
      families.find(({ name }) => name === "gw_http_requests_waiting"),
      mine,
    ),
  };
}

/** The sum of the samples that are meant. */
export function sumOf(
  family: MetricFamily | undefined,
  isMeant: (labels: Readonly<Record<string, string>>) => boolean,
): number {
  let sum = 0;
  for (const [sample, value] of family?.samples ?? []) if (isMeant(labelsOf(sample))) sum += value;
  return sum;
}
