// The admin listener's app: probes and metrics for machines, the status page for people, control for those who may.
import {
  type Answer,
  type App,
  eventStream,
  GatewayError,
  type GatewayRequest,
  type Handler,
  HeaderList,
  html,
  json,
  readJson,
  text,
} from "@gw/core";
import { type LogLevel, logLevels } from "@gw/core/node";
import { MOST_WORKERS } from "../tree/tree-options.ts";
import type { GatewayControl } from "./control.ts";
import { wholeStatusOf } from "./mount-status.ts";
import { StatusHistory } from "./status-history.ts";
import { statusBody, statusPage, statusPolicy } from "./status-page.ts";

/** Who is allowed what at one listener. */
export type AdminAccess =
  /** Probes and metrics: an address that others can reach. */
  | "probes"
  /** And the status page: loopback. */
  | "look"
  /** And control: a unix socket, whose file says who may. */
  | "control";

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const EVENT_PAUSE_MS = 2_000;

/** Makes the app. Answers are never stored by caches. From its start to its stop it remembers the last two minutes. */
export function adminApp(control: GatewayControl, accessOf: (request: GatewayRequest) => AdminAccess): App {
  const history = new StatusHistory(control);
  const handle: Handler = async (request) => {
    if (request.kind !== "http") throw new GatewayError("GW_NOT_FOUND", 404, "there are no sockets here");
    const route = ROUTES[`${request.method === "HEAD" ? "GET" : request.method} ${request.path}`];
    if (route === undefined) throw unknownPlace(request);
    const access = accessOf(request);
    if (RANK[access] < RANK[route.access]) throw notHere(route.access);
    return route.answer({ request, control, history });
  };
  return { handle, start: () => history.begin(), stop: () => history.end() };
}

const RANK: Readonly<Record<AdminAccess, number>> = { probes: 0, look: 1, control: 2 };

interface Call {
  readonly request: GatewayRequest;
  readonly control: GatewayControl;
  readonly history: StatusHistory;
}

interface Route {
  readonly access: AdminAccess;
  readonly answer: (call: Call) => Promise<Answer> | Answer;
}

const noStore = [["Cache-Control", "no-store"]] as const;

const ROUTES: Readonly<Record<string, Route>> = {
  "GET /-/live": { access: "probes", answer: () => text("live\n", { headers: noStore }) },
  "GET /-/ready": {
    access: "probes",
    answer: ({ control }) =>
      control.isReady()
        ? text("ready\n", { headers: noStore })
        : text("not ready\n", { status: 503, headers: [...noStore, ["Retry-After", "1"]] }),
  },
  "GET /metrics": {
    access: "probes",
    answer: async ({ control }) =>
      text(await control.metrics(), { headers: [...noStore, ["Content-Type", METRICS_TYPE]] }),
  },
  "GET /status": {
    access: "look",
    answer: async ({ control }) => {
      const [status, metrics] = await Promise.all([control.status(), control.metrics()]);
      return json(wholeStatusOf(status, metrics), { headers: noStore });
    },
  },
  "GET /": {
    access: "look",
    answer: async ({ history }) => html(statusPage(await history.look()), { headers: pageHeaders }),
  },
  "GET /events": {
    access: "look",
    answer: ({ history }) => eventStream((signal) => bodies(history, signal)),
  },
  "POST /reload": {
    access: "control",
    answer: async ({ control }) => {
      await control.reload();
      return done();
    },
  },
  "POST /workers": {
    access: "control",
    answer: async ({ control, request }) => {
      const { workers } = await given(
        request,
        "workers",
        (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_WORKERS,
        `a whole number from 1 to ${MOST_WORKERS}`,
      );
      await control.resize(workers as number);
      return done();
    },
  },
  "POST /drain": { access: "control", answer: (call) => drain(call, true) },
  "POST /resume": { access: "control", answer: (call) => drain(call, false) },
  "POST /log-level": {
    access: "control",
    answer: async ({ control, request }) => {
      const { level } = await given(
        request,
        "level",
        (value) => logLevels.includes(value as LogLevel),
        logLevels.join(", "),
      );
      await control.setLogLevel(level as LogLevel);
      return done();
    },
  },
  "POST /reopen-logs": {
    access: "control",
    answer: async ({ control }) => {
      await control.reopenLogs().catch((error: Error) => {
        throw new GatewayError("GW_CONTROL", 409, error.message, { cause: error });
      });
      return done();
    },
  },
  "POST /stop": {
    access: "control",
    answer: ({ control, request }) => {
      request.exchange.onEnd(() => control.stop());
      return done();
    },
  },
};

const pageHeaders = HeaderList.from([
  ...noStore,
  ["Content-Security-Policy", statusPolicy],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
]);

function done(): Answer {
  return json({ done: true }, { headers: noStore });
}

async function drain({ control, request }: Call, isDrained: boolean): Promise<Answer> {
  const { mount } = await given(
    request,
    "mount",
    (value) => typeof value === "string",
    "the place of a mount, such as /app",
  );
  await control.drain(mount as string, isDrained);
  return done();
}

/** The body of a control call: one key. @throws GatewayError `GW_CONTROL` (400) */
async function given(
  request: GatewayRequest,
  key: string,
  isFit: (value: unknown) => boolean,
  allowed: string,
): Promise<Record<string, unknown>> {
  const body = (await readJson(request)) as Record<string, unknown> | null;
  const value = body?.[key];
  if (isFit(value)) return { [key]: value };
  throw new GatewayError("GW_CONTROL", 400, `${key}: found ${JSON.stringify(value) ?? "nothing"}, allowed: ${allowed}`);
}

/** The changing part of the page, again and again. */
async function* bodies(history: StatusHistory, signal: AbortSignal): AsyncGenerator<string> {
  while (!signal.aborted) {
    yield statusBody(await history.look());
    await pause(EVENT_PAUSE_MS, signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end, { once: true });
  });
}

function unknownPlace({ method, path }: GatewayRequest): GatewayError {
  const allowed = Object.keys(ROUTES).join(", ");
  return new GatewayError("GW_NOT_FOUND", 404, `found ${method} ${path}, allowed: ${allowed}`);
}

function notHere(needed: AdminAccess): GatewayError {
  const where = needed === "control" ? "a unix socket (--admin unix:/path)" : "a loopback address or a unix socket";
  return new GatewayError("GW_CONTROL", 403, `this is only answered at ${where}`);
}
