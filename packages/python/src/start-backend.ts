// Who runs the workers: this process, or the primary once for all gateway processes.
import type { AppContext, Backend, Logger } from "@gw/core";
import { type AttachedProcess, memoryLimit, superviseBackend } from "@gw/core/node";
import type { WorkerCommand } from "./command.ts";
import type { PythonOptions } from "./options.ts";
import { SharedLinks } from "./shared-links.ts";
import { residentBytes, workersThatFit } from "./sizing.ts";

/** What `start` needs of its context. */
export type PythonContext = Pick<AppContext, "log" | "metrics"> & Partial<Pick<AppContext, "hasSiblings" | "backends">>;

/** What happens with a worker. */
export interface BackendHooks {
  attach(process: AttachedProcess): Promise<void>;
  /** It is to finish what it has, and to end. */
  detach(pid: number): Promise<void> | undefined;
  /** The state of the backend is another one. */
  changed(): void;
}

/**
 * Whether the workers of an app run once for several gateway processes.
 *
 * Not those that reload on a change, which each process would ask for, and not threads of this process.
 */
export function isShared({ engine, reload }: PythonOptions, context: PythonContext): boolean {
  return context.hasSiblings === true && engine !== "wasm" && reload !== true;
}

/** Starts the workers; its `ready` tells when the first one is. */
export async function startBackend(
  { spec, spawn }: WorkerCommand,
  context: PythonContext,
  hooks: BackendHooks & { readonly isShared: boolean },
): Promise<Backend> {
  if (hooks.isShared && context.backends !== undefined) {
    const drainTimeoutMs = spec.stopTimeoutMs ?? 0;
    const backend = await context.backends.start({ ...spec, socket: "own-fd0", ready: "line", drainTimeoutMs });
    const links = new SharedLinks(backend, { attach: hooks.attach, leave: (pid) => void hooks.detach(pid) });
    backend.onChange(() => {
      void links.sync();
      hooks.changed();
    });
    void links.sync(); // it may run already
    return backend;
  }
  const backend = superviseBackend(spec, {
    log: context.log,
    metrics: context.metrics,
    ...(spawn !== undefined && { spawn }),
    attach: (process) => hooks.attach(process),
    detach: (process) => hooks.detach(process.pid),
  });
  backend.onChange(() => hooks.changed());
  return backend;
}

/** Several workers must not take more than the memory that there is; how much one needs is known when it is ready. */
export function fitMemory(backend: Backend, wanted: number, pid: number, log: Logger): void {
  const limitBytes = memoryLimit();
  const workers = workersThatFit(wanted, residentBytes(pid), limitBytes);
  if (workers === wanted) return;
  log.warn({ workers, limitBytes }, "fewer Python workers than cores: the memory limit has no room for more");
  void backend.resize(workers);
}
