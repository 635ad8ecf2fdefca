// An app on threads that runs in memory, with its log at hand.
import { type RunningApp, run } from "@gw/core/testing";
import { type ListeningContext, listeningContext } from "@gw-private/listening-context";
import { expect, onTestFinished, vi } from "vitest";
import { type WsgiThreadsOptions, wsgiThreads } from "../../src/wsgi-threads.ts";

/** A running app, what its gateway has logged, and the app itself. */
export interface ThreadsTestApp extends RunningApp, Omit<ListeningContext, "context"> {
  readonly app: ReturnType<typeof wsgiThreads>;
}

/** Starts an export of `apps.mjs` on all its threads; stops it when the test is over. */
export async function startThreads(name = "default", options: WsgiThreadsOptions = {}): Promise<ThreadsTestApp> {
  const { context, ...log } = listeningContext();
  const app = wsgiThreads(`${import.meta.dirname}/apps.mjs:${name}`, options);
  const running = await run(app, { context, maxBodyBytes: 2 ** 40 });
  onTestFinished(() => running.stop(AbortSignal.timeout(100)));
  const { threads = 1 } = options;
  await vi.waitFor(() => expect(app.status?.().facts).toMatchObject({ threads }), { timeout: 15_000 });
  return { ...running, ...log, app };
}
