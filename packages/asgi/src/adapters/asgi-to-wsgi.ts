// asgiToWsgi: an ASGI application for a server that speaks WSGI. It runs in a thread of its own, whose caller waits.
import { type AppContext, createContext, GatewayError, type Lifecycle } from "@gw/core";
import type { WsgiApp } from "@gw/wsgi";
import { readAppFile } from "@gw/wsgi/threads";
import type { LifespanMode } from "../lifespan.ts";
import { AsgiCaller, type AsgiCallerOptions } from "./asgi-caller.ts";

/** Inputs of `asgiToWsgi`. */
export interface AsgiToWsgiOptions {
  /** Threads that the app runs in; each has an app of its own, and as many calls at the same time as come. @default 1 */
  threads?: number;
  /**
   * Longest time without a sign from the app, milliseconds; then 504. A thread that does not even answer a ping is
   * replaced. 0: none. @default 60_000
   */
  timeoutMs?: number;
  /** Time to load the app and for its startup, milliseconds. @default 30_000 */
  startTimeoutMs?: number;
  /** Whether the app is told of start and stop. @default "auto" */
  lifespan?: LifespanMode;
  /** Arguments of Node for the threads. @default the process's own */
  execArgv?: readonly string[];
  /** Module whose `load(file, name)` gives the app in the thread. @default `import(file)` */
  loader?: string;
}

/**
 * The ASGI application that a file exports (`./app.ts`, `./app.ts:name`, or a `file:` URL), as a WSGI application.
 *
 * The app has a thread with an event loop; the thread that calls blocks until
 * the app has something for it, at most for `timeoutMs`. Neither needs the
 * other's event loop, so they cannot wait for each other. The head is there
 * when the app has sent its first body event; chunks come as the WSGI server
 * asks for them; `close()` is a disconnect for the app. WSGI has no sockets.
 *
 * `start` and `stop` hang on the function, and `fromWsgi` and `wsgiThreads` run
 * them; without them the threads start at the first call and end with the process.
 *
 * @throws GatewayError `GW_THREAD_OPTION`
 */
export function asgiToWsgi(file: string | URL, options: AsgiToWsgiOptions = {}): WsgiApp & Lifecycle {
  const { threads = 1, timeoutMs = 60_000, startTimeoutMs = 30_000, lifespan = "auto" } = options;
  for (const [name, value] of Object.entries({ threads, timeoutMs, startTimeoutMs })) checkCount(name, value);
  const { path, exportName, text } = readAppFile(file);
  const { execArgv, loader = null } = options;
  const settings: AsgiCallerOptions = {
    place: { path, exportName, loader },
    lifespan,
    timeoutMs: timeoutMs === 0 ? Number.POSITIVE_INFINITY : timeoutMs,
    startTimeoutMs,
    execArgv,
    name: text,
  };
  const callers: (AsgiCaller | null)[] = new Array(Math.max(1, threads)).fill(null);
  let context: AppContext = createContext();
  const callerAt = (index: number): AsgiCaller => {
    const before = callers[index] ?? null;
    if (before !== null && !before.isOver) return before;
    const caller = new AsgiCaller(settings, context.log);
    callers[index] = caller;
    caller.waitUntilReady();
    return caller;
  };
  const application: WsgiApp = (environ, startResponse) => callerAt(leastBusy(callers)).call(environ, startResponse);
  return Object.assign(application, {
    start(given: AppContext): void {
      context = given;
      for (let index = 0; index < callers.length; index++) callerAt(index);
    },
    async stop(deadline: AbortSignal): Promise<void> {
      const running = callers.splice(0, callers.length, ...callers.map(() => null));
      await Promise.all(running.map((caller) => caller?.stop(deadline)));
    },
  });
}

function leastBusy(callers: readonly (AsgiCaller | null)[]): number {
  const loads = callers.map((caller) => (caller === null || caller.isOver ? 0 : caller.load));
  return loads.indexOf(Math.min(...loads));
}

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 0) return;
  throw new GatewayError("GW_THREAD_OPTION", 500, `${name} is ${value}; allowed is a whole number from 0 on`);
}
