// `gw ctl`: asks or steers a running gateway through the unix socket of its admin listener.
import { type ClientRequest, request as httpRequest } from "node:http";
import type { MountStatus, WholeStatus } from "../admin/mount-status.ts";
import type { Invocation } from "../invocation.ts";
import { didYouMean } from "../suggest.ts";
import { StartError, UsageError } from "../usage-error.ts";

/** One thing that can be asked for. */
interface Task {
  /** What its value is called; absent: it takes none. */
  readonly value?: string;
  run(call: Call): Promise<string>;
}

interface Call {
  readonly socket: string;
  readonly value: string;
  readonly isJson: boolean;
}

const show =
  (pick: (status: WholeStatus) => unknown, words: (status: WholeStatus) => readonly string[]) =>
  async ({ socket, isJson }: Call): Promise<string> => {
    const status = (await ask(socket, "GET", "/status")) as WholeStatus;
    return isJson ? JSON.stringify(pick(status), null, 2) : words(status).join("\n");
  };

const order =
  (path: string, body: (value: string) => object, said: string) =>
  async ({ socket, value, isJson }: Call): Promise<string> => {
    await ask(socket, "POST", path, body(value));
    return isJson ? JSON.stringify({ done: true }) : `${said}${value === "" ? "" : ` ${value}`}`;
  };

const TASKS: Readonly<Record<string, Task>> = {
  status: { run: show((status) => status, statusLines) },
  mounts: {
    run: show(({ mounts, description, drained }) => ({ mounts, description, drained }), mountLines),
  },
  backends: { run: show(({ backends }) => backends, backendLines) },
  reload: { run: order("/reload", () => ({}), "reloaded") },
  workers: {
    value: "N",
    run: (call) => (call.value === "" ? show(({ workers }) => workers, workerLines)(call) : resize(call)),
  },
  drain: { value: "MOUNT", run: order("/drain", (mount) => ({ mount }), "out of service:") },
  resume: { value: "MOUNT", run: order("/resume", (mount) => ({ mount }), "in service:") },
  "log-level": { value: "LEVEL", run: order("/log-level", (level) => ({ level }), "log level:") },
  "reopen-logs": { run: order("/reopen-logs", () => ({}), "log files opened anew") },
  stop: { run: order("/stop", () => ({}), "stopping") },
};

const resize = order("/workers", (count) => ({ workers: /^\d+$/.test(count) ? Number(count) : count }), "workers:");

/** Asks and prints the answer; exit code 1 if the gateway refuses. */
export async function run({ operands, settings, stdout }: Invocation): Promise<number> {
  const [what = "", value = ""] = operands;
  const task = TASKS[what];
  const names = Object.keys(TASKS);
  if (task === undefined)
    throw new UsageError(`ctl: found ${JSON.stringify(what)}${didYouMean(what, names)}, allowed: ${names.join(", ")}`);
  if (task.value === undefined && value !== "")
    throw new UsageError(`ctl ${what} takes no value, found ${JSON.stringify(value)}`);
  if (task.value !== undefined && value === "" && what !== "workers")
    throw new UsageError(`ctl ${what} needs a value: gw ctl ${what} ${task.value}`);
  const socket = socketOf(settings.list("admin"));
  stdout.write(`${await task.run({ socket, value, isJson: settings.isOn("json") ?? false })}\n`);
  return 0;
}

function socketOf(binds: readonly string[]): string {
  const socket = binds.find((bind) => bind.startsWith("unix:"));
  if (socket !== undefined) return socket.slice("unix:".length).replace(/^\/\//, "");
  throw new UsageError(
    "ctl needs the unix socket of the gateway: --admin unix:/path, GW_ADMIN or admin in the configuration, as the gateway has it",
  );
}

const PATIENCE_MS = 180_000; // a reload waits for new workers

function ask(socketPath: string, method: string, path: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = {
      socketPath,
      method,
      path,
      timeout: PATIENCE_MS,
      headers: { Host: "localhost", "Content-Type": "application/json" },
    };
    const request: ClientRequest = httpRequest(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(refused(response.statusCode, text));
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", (error: NodeJS.ErrnoException) => reject(unreachable(socketPath, error)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The gateway's own answers begin with a line that is their status: said once. */
function refused(status: number | undefined, text: string): StartError {
  const [first = "", ...rest] = text.trim().split("\n");
  const why = first.startsWith(`${status} `) ? [`${first}:`, ...rest] : [`${status}:`, first, ...rest];
  return new StartError(`the gateway says ${why.join(" ")}`);
}

function unreachable(path: string, error: NodeJS.ErrnoException): StartError {
  const why = { ENOENT: "there is no such socket", ECONNREFUSED: "nobody listens there", EACCES: "permission denied" };
  const reason = why[error.code as keyof typeof why] ?? error.message;
  return new StartError(`cannot reach a gateway at unix:${path}: ${reason}`, { cause: error });
}

function statusLines(status: WholeStatus): string[] {
  const { version, pid, startedAt, isReady, addresses, errors } = status;
  const up = Math.round((Date.now() - startedAt) / 1_000);
  return [
    `gw ${version}, process ${pid}, up ${up} s, ${isReady ? "ready" : "not ready"}`,
    ...addresses.map((one) => `listening on ${one}`),
    ...workerLines(status),
    ...mountLines(status),
    ...backendLines(status),
    ...limitLines(status),
    ...errors.slice(0, 5).map(({ at, level, message, times }) => {
      const often = times === 1 ? "" : ` (${times} times)`;
      return `${new Date(at).toISOString()} ${level} ${message}${often}`;
    }),
  ];
}

function mountLines({ mounts }: WholeStatus): string[] {
  if (mounts.length === 0) return ["no worker has said yet what it serves"];
  return mounts.map((mount) => {
    const { where, app, state, error, isDrained } = mount;
    const why = error === null ? "" : `, last error: ${error.split("\n", 1)[0]}`;
    return `mount ${where} ${isDrained ? "drained" : state}, ${app}${countsOf(mount)}${why}`;
  });
}

function countsOf({ numbers }: MountStatus): string {
  if (numbers === null) return "";
  const { requests, failed, inFlight, waiting } = numbers;
  return `, ${requestsText(requests)}, ${failed} failed, ${inFlight} under way, ${waiting} waiting`;
}

function requestsText(count: number): string {
  return `${count} ${count === 1 ? "request" : "requests"}`;
}

function workerLines({ workers }: WholeStatus): string[] {
  return workers.map(({ pid, state, generation, rssBytes, requests, inFlight }) => {
    const memory = Math.round(rssBytes / 1_000_000);
    return `worker ${pid} ${state}, generation ${generation}, ${requestsText(requests)}, ${inFlight} under way, ${memory} MB`;
  });
}

function backendLines({ backends }: WholeStatus): string[] {
  return backends.map(({ name, state, processes, error }) => {
    const pids = processes.map(({ pid }) => pid).join(" ");
    return `backend ${name} ${state}, processes ${pids === "" ? "none" : pids}${error === null ? "" : `, last error: ${error.split("\n", 1)[0]}`}`;
  });
}

function limitLines({ limits }: WholeStatus): string[] {
  return limits.map(
    ({ name, limit, running, maxQueued, queued, refused }) =>
      `limit ${name}: ${running} of ${limit} under way, ${queued} of ${maxQueued} wait, ${refused} refused`,
  );
}
