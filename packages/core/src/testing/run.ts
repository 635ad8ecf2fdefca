// A running app without a socket: the in-memory carrier's life.
import { type LintError, lint } from "../lint/index.ts";
import type { App, AppSource } from "../model/app.ts";
import type { AppContext } from "../model/context.ts";
import { createContext } from "../pipeline/context.ts";
import { Runtime } from "../pipeline/runtime.ts";
import type { TestSocketInit } from "./builders.ts";
import type { SendInit } from "./exchange.ts";
import { sendRequest, type TestResponse } from "./exchange.ts";
import { openTestSocket, type TestSocket } from "./socket.ts";

/** What `run` may be told. */
export interface RunOptions {
  /** Whether lint checks the app. @default true */
  lint?: boolean;
  /** Given to `start`. @default a silent one */
  context?: AppContext;
  /** Most bytes of a request body. @default 10_000_000 */
  maxBodyBytes?: number;
}

/** What `request` may be told, besides the request. */
export interface RequestInit extends SendInit, Omit<RunOptions, "maxBodyBytes"> {}

/** What `openSocket` may be told, besides the opening. */
export interface SocketInit extends TestSocketInit, Omit<RunOptions, "maxBodyBytes"> {}

/** An app that has been started. */
export interface RunningApp {
  /** One request; see `request`. */
  request(target?: string, init?: SendInit): Promise<TestResponse>;
  /** Opens a socket; see `openSocket`. */
  openSocket(target?: string, init?: TestSocketInit): Promise<TestSocket>;
  /** Waits for `afterResponse` tasks, then stops the app. @default deadline 5 s from now */
  stop(deadline?: AbortSignal): Promise<void>;
}

/**
 * Starts an app without a socket.
 *
 * @throws what the app's `start` throws
 */
export async function run(
  app: AppSource,
  { lint: isLinted = true, context = createContext(), maxBodyBytes }: RunOptions = {},
): Promise<RunningApp> {
  const findings: LintError[] = [];
  const source: AppSource | App = isLinted ? lint(app, { report: (error) => findings.push(error) }) : app;
  const runtime = new Runtime(source, { context, ...(maxBodyBytes !== undefined && { maxBodyBytes }) });
  await runtime.start();
  const orFinding = <T>(value: T): T => {
    const [finding] = findings.splice(0);
    if (finding !== undefined) throw finding;
    return value;
  };
  return {
    request: async (target = "/", init = {}) => orFinding(await sendRequest(runtime, target, init)),
    openSocket: async (target = "/", init = {}) => orFinding(await openTestSocket(runtime, target, init)),
    async stop(deadline = AbortSignal.timeout(5_000)) {
      await runtime.stop(deadline);
      orFinding(undefined);
    },
  };
}

/**
 * Runs one request through an app in memory, under lint, and gives the answer
 * once the exchange has ended. The app is started before and stopped after;
 * `run` keeps one going for several requests.
 *
 * @throws LintError if a rule of the model was broken; what the app's `start` throws.
 */
export async function request(app: AppSource, target = "/", init: RequestInit = {}): Promise<TestResponse> {
  const running = await run(app, init);
  let answer: TestResponse;
  try {
    answer = await running.request(target, init);
  } finally {
    await running.stop();
  }
  return answer;
}

/**
 * Opens a socket to an app in memory, under lint. Close it: then the app is stopped, and broken rules reject `ended`.
 *
 * @throws LintError, what the app's `start` throws
 */
export async function openSocket(app: AppSource, target = "/", init: SocketInit = {}): Promise<TestSocket> {
  const running = await run(app, init);
  try {
    const socket = await running.openSocket(target, init);
    return { ...socket, ended: socket.ended.finally(() => running.stop()) };
  } catch (error) {
    await running.stop();
    throw error;
  }
}
