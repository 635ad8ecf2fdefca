// Clients over HTTP/1.1, HTTP/2, FastCGI and WebSocket, each with the rules that a good client of its kind follows.
import { Agent, type AgentOptions, request as httpRequest, type IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { Socket } from "node:net";
import { createContext } from "@gw/core";
import { type RunningApp, run } from "@gw/core/testing";
import { fastcgi } from "@gw/fastcgi";
import { type Client, Gone, Wrong } from "./load.ts";
import { WebSocketClient } from "./web-socket-client.ts";

/** One request and the answer that is right. */
export interface Task {
  readonly path: string;
  /** Sent by POST. */
  readonly body?: string;
  readonly answer: string;
}

type Tasks = readonly Task[];

/** How a client is set up. */
export interface ClientOptions {
  /** The task it begins with. */
  first?: number;
  /** Whether a load balancer would open new connections to the server. @default always */
  isWelcome?: () => boolean;
}

const always = (): boolean => true;

/** Hands out the tasks in turn. */
function inTurn(tasks: Tasks, first: number): () => Task {
  let at = first;
  return () => tasks[at++ % tasks.length] as Task;
}

/** Nobody listens, or (the last one) the load balancer has opened no connection. */
const REFUSED = new Set(["ECONNREFUSED", "ENOENT", "ERR_SOCKET_CLOSED"]);

function check({ path, answer }: Task, status: number | undefined, text: string): void {
  if (status === 200 && text === answer) return;
  throw new Wrong(path, String(status), status === 200 ? JSON.stringify(text.slice(0, 60)) : "");
}

/** HTTP/1.1, on one connection that is kept, or on a new one for each request. */
export function http1(
  url: string,
  tasks: Tasks,
  { isKept = true, first = 0, isWelcome = always }: ClientOptions & { isKept?: boolean } = {},
): Client {
  const next = inTurn(tasks, first);
  const agent = new DoorAgent({ keepAlive: isKept, maxSockets: 1 }, isWelcome);
  return {
    kind: isKept ? "HTTP/1.1, kept" : "HTTP/1.1, new connections",
    async ask() {
      const task = next();
      const { path } = task;
      const once = await sendHttp1(url, task, agent);
      if (once !== "again") return { path };
      await sendHttp1(url, task, agent, false);
      return { path, came: "again" };
    },
    close: () => agent.destroy(),
  };
}

/** Opens connections only where they are welcome. */
class DoorAgent extends Agent {
  readonly #isWelcome: () => boolean;

  constructor(options: AgentOptions, isWelcome: () => boolean) {
    super(options);
    this.#isWelcome = isWelcome;
  }

  override createConnection(...args: Parameters<Agent["createConnection"]>): ReturnType<Agent["createConnection"]> {
    if (this.#isWelcome()) return super.createConnection(...args);
    const none = new Socket();
    setImmediate(() => none.destroy(new Gone()));
    return none;
  }
}

/** @returns "again" if the kept connection had closed before it took a request that may be repeated */
function sendHttp1(url: string, task: Task, agent: Agent, mayRepeat = true): Promise<"again" | undefined> {
  const { path, body } = task;
  return new Promise((done, fail) => {
    const request = httpRequest(`${url}${path}`, { agent, method: body === undefined ? "GET" : "POST" });
    let answer: IncomingMessage | null = null;
    request.on("response", (response) => {
      answer = response;
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", () => fail(new Wrong(path, "cut")));
      response.on("end", () => {
        try {
          check(task, response.statusCode, text);
          done(undefined);
        } catch (error) {
          fail(error);
        }
      });
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (error instanceof Gone || REFUSED.has(error.code ?? "")) return fail(new Gone());
      const isStale = request.reusedSocket && answer === null && body === undefined && mayRepeat;
      if (isStale) return done("again");
      fail(new Wrong(path, error.code ?? error.message, request.reusedSocket ? "on a kept connection" : ""));
    });
    request.end(body);
  });
}

/** HTTP/2 without TLS, one stream after the other on a connection that is kept until the server says GOAWAY. */
export function http2(url: string, tasks: Tasks, { first = 0, isWelcome = always }: ClientOptions = {}): Client {
  const next = inTurn(tasks, first);
  let session: ClientHttp2Session | null = null;
  let wasTold = false;
  const open = (): ClientHttp2Session => {
    if (!isWelcome()) throw new Gone();
    const fresh = connectHttp2(url);
    fresh.on("goaway", () => {
      if (session !== fresh) return;
      session = null;
      wasTold = true;
    });
    fresh.on("error", () => {}); // its streams say it, too
    fresh.on("close", () => {
      if (session === fresh) session = null;
    });
    return fresh;
  };
  return {
    kind: "HTTP/2",
    async ask() {
      const task = next();
      const was = wasTold;
      wasTold = false;
      session ??= open();
      try {
        await sendHttp2(session, task);
      } catch (error) {
        // "not processed": to be sent again (RFC 9113 §8.7).
        if (!String(error).includes("REFUSED_STREAM")) throw error;
        session = open();
        await sendHttp2(session, task);
        return { path: task.path, came: "again" };
      }
      return { path: task.path, came: was ? "announced" : undefined };
    },
    close: () => session?.close(),
  };
}

function sendHttp2(session: ClientHttp2Session, task: Task): Promise<void> {
  const { path, body } = task;
  return new Promise((done, fail) => {
    const stream = session.request({ ":path": path, ":method": body === undefined ? "GET" : "POST" });
    let [status, text] = [0, ""];
    stream.on("response", (headers) => {
      status = Number(headers[":status"]);
    });
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    stream.on("error", (error: NodeJS.ErrnoException) =>
      fail(REFUSED.has(error.code ?? "") ? new Gone() : new Wrong(path, error.code ?? "", error.message)),
    );
    stream.on("close", () => {
      try {
        check(task, status, text);
        done();
      } catch (error) {
        fail(error);
      }
    });
    stream.end(body);
  });
}

/** FastCGI, as a web server that keeps its connections asks. */
export async function fastcgiClient(
  address: string,
  tasks: Tasks,
  { first = 0, isWelcome = always }: ClientOptions = {},
): Promise<Client> {
  const next = inTurn(tasks, first);
  const app: RunningApp = await run(fastcgi({ address, maxConnections: 1 }), { context: createContext() });
  return {
    kind: "FastCGI",
    async ask() {
      const task = next();
      if (!isWelcome()) throw new Gone();
      const { path, body } = task;
      const answer = await app.request(path, body === undefined ? {} : { method: "POST", body });
      check(task, answer.status, answer.text());
      return { path };
    },
    close: () => void app.stop(AbortSignal.abort()),
  };
}

const MESSAGE_PAUSE_MS = 5;

/**
 * WebSocket: a word and its echo, again and again; opened anew when the server says 1012. Its opening is a request.
 *
 * @param options.messages after so many it closes the socket and opens another. @default Infinity
 */
export function webSocket(
  url: string,
  { isWelcome = always, messages = Number.POSITIVE_INFINITY }: ClientOptions & { messages?: number } = {},
): Client {
  let socket: WebSocketClient | null = null;
  let count = 0;
  return {
    kind: "WebSocket",
    async ask() {
      if (socket === null) {
        if (!isWelcome()) throw new Gone();
        socket = await WebSocketClient.open(url, "/").catch((error: NodeJS.ErrnoException) => {
          throw REFUSED.has(error.code ?? "") ? new Gone() : new Wrong("/", error.code ?? error.message, "opening");
        });
        return { path: "/" };
      }
      // Else there are more messages than requests. Before the question: an end meanwhile is an end during this one.
      await new Promise((done) => setTimeout(done, MESSAGE_PAUSE_MS));
      const word = `word ${count++}`;
      const came = await socket.ask(word);
      if (typeof came === "string") {
        if (came !== word) throw new Wrong("/", "another echo", `${word}: ${came}`);
        if (count % messages === 0) {
          socket.close();
          socket = null;
        }
        return { path: "/", isMessage: true };
      }
      socket = null;
      if (came.code !== 1012) throw new Wrong("/", String(came.code), "closed, not announced");
      return { path: "/", isMessage: true, came: "announced" };
    },
    close: () => socket?.close(),
  };
}
