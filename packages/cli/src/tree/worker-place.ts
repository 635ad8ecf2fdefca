// How a process knows that a primary started it: a mark in its environment, and its descriptors.
import { Socket } from "node:net";

/** Name of the mark; its value is the number of listening descriptors. */
export const WORKER_MARK = "GATEWAY_WORKER_BINDS";

/** The first of the descriptors that a worker listens on; 3 is the socket to its primary. */
const FIRST_BIND_FD = 4;

/** What a worker was given. */
export interface WorkerPlace {
  /** `fd://4`, one per address of the gateway. */
  readonly binds: readonly string[];
  /** The socket to the primary. */
  readonly control: Socket;
}

/** The place of this process in a process tree; `null` if nobody gave it one. Takes the mark away: what we start is no worker. */
export function takeWorkerPlace(environment: NodeJS.ProcessEnv): WorkerPlace | null {
  const mark = environment[WORKER_MARK];
  if (mark === undefined) return null;
  delete environment[WORKER_MARK];
  const binds = Array.from({ length: Number(mark) }, (_, at) => `fd://${FIRST_BIND_FD + at}`);
  return { binds, control: new Socket({ fd: 3, readable: true, writable: true }) };
}
