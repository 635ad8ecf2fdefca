// A Python app that runs in memory, with its log at hand.
import { type RunningApp, run } from "@gw/core/testing";
import { type ListeningContext, listeningContext } from "@gw-private/listening-context";
import { type PythonWsgiOptions, pythonWsgi } from "../src/python.ts";

/** A running app and what its gateway has logged. */
export interface PythonTestApp extends RunningApp, Omit<ListeningContext, "context"> {}

export const apps: string = `${import.meta.dirname}/python`;

/** Starts an app of `wsgi_apps.py`, or of another module. */
export async function start(app: string, options: PythonWsgiOptions = {}): Promise<PythonTestApp> {
  const name = app.includes(":") ? app : `wsgi_apps:${app}`;
  const { context, ...log } = listeningContext();
  const running = await run(pythonWsgi(name, { cwd: apps, workers: 1, ...options }), { context });
  return { ...running, ...log };
}
