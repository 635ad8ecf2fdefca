// Two gateway processes, as far as a backend can tell, that use the same one: what a primary does, without processes.
import { type App, type Backend, type Backends, createContext } from "@gw/core";
import { createBackends } from "@gw/core/node";
import { type RunningApp, run } from "@gw/core/testing";
import { listeningContext } from "@gw-private/listening-context";

/** Two gateways and what they have in common. */
export interface SiblingGateways {
  readonly one: RunningApp;
  readonly two: RunningApp;
  readonly logged: (pattern: RegExp) => Promise<string>;
  readonly reload: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts the app in each of two gateways whose backends run once for both. */
export async function siblingGateways(make: () => App): Promise<SiblingGateways> {
  const { context, logged } = listeningContext();
  const own = createBackends(context);
  const backends = startedOnce(own);
  const apps = [make(), make()];
  const started: RunningApp[] = [];
  for (const app of apps) {
    const siblings = createContext({ log: context.log, hasSiblings: true });
    started.push(await run(app, { context: { ...siblings, backends } }));
  }
  const [one, two] = started as [RunningApp, RunningApp];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((app) => app.stop()));
    await own.stopAll();
  };
  return { one, two, logged, reload: async () => apps[0]?.reload?.(), stop };
}

/** Backends that are started once however often they are asked for, and end with their last user: a primary's. */
function startedOnce(own: Backends): Backends {
  const users = new Map<string, { count: number; backend: Promise<Backend> }>();
  return {
    async start(spec) {
      const found = users.get(spec.name) ?? { count: 0, backend: own.start(spec) };
      users.set(spec.name, found);
      found.count++;
      const backend = await found.backend;
      const stop = async (): Promise<void> => {
        found.count--;
        if (found.count === 0) await backend.stop();
      };
      return new Proxy(backend, {
        get: (target, name) => {
          const value = name === "stop" ? stop : Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
}
