// How many workers an app gets when nobody says: from the cores, and from what the first one weighs.
import { readFileSync } from "node:fs";
import { availableCores } from "@gw/core/node";
import type { PythonInterface, PythonOptions } from "./options.ts";

/** More than four workers are for those who have measured. */
const MOST = 4;
/** Part of the memory limit that all workers together may take: the gateway and what requests need come on top. */
const SHARE_OF_MEMORY = 0.7;

/** The gateway needs a core for itself. @param cores those that this process may use */
export function defaultWorkers(cores: number = availableCores()): number {
  return Math.max(1, Math.min(MOST, cores - 1));
}

/** Requests under way and waiting in one WSGI worker, for each of its threads. */
const PER_THREAD = 3;
/** Sockets that one worker has open at a time. */
export const MAX_SOCKETS = 10_000;
/** A worker with one thread gets whole batches all the same. */
const LEAST_CAPACITY = 8;

/** Requests that one worker is given at a time, further ones wait in the gateway. */
export function capacityOf(kind: PythonInterface, { engine, threads, maxConcurrent = 1_000 }: PythonOptions): number {
  if (kind === "asgi") return maxConcurrent;
  return Math.max(LEAST_CAPACITY, PER_THREAD * (threads ?? (engine === "wasm" ? 1 : 8)));
}

/** Of so many workers those that a memory limit has room for: at least one. Bytes. */
export function workersThatFit(workers: number, workerBytes: number, limitBytes: number): number {
  if (workerBytes <= 0) return workers;
  return Math.max(1, Math.min(workers, Math.floor((limitBytes * SHARE_OF_MEMORY) / workerBytes)));
}

/** Memory that a process holds, bytes; 0 where the system does not say. */
export function residentBytes(pid: number): number {
  try {
    const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1_024;
  } catch {
    return 0;
  }
}
