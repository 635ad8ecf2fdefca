// serveFastcgi(app): an app as a FastCGI application behind a web server.

import { createServer, type Socket } from "node:net";
import { type AppSource, type BodyPace, createContext, GatewayError, type PeerList, peerList, Runtime } from "@gw/core";
import { fileSpool, type Listening, listenAll, parseBind } from "@gw/core/node";
import { checkServerOptions } from "./check-options.ts";
import { ParamsDecoder } from "./codec/params.ts";
import { Connection } from "./connection.ts";
import { ConnectionRoom } from "./connection-room.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import type { FastcgiServerOptions, RunningFastcgiServer } from "./options.ts";
import { Runtimes } from "./runtimes.ts";

const IDLE_GRACE_MS = 100;
const HEADER_TIMEOUT_MS = 60_000;
const WRITE_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 1_000;
const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];

/**
 * Serves an app as a FastCGI responder, or in another `role`; returns at once, `ready` tells when it listens.
 *
 * @throws GatewayError `GW_BIND`, `GW_NOT_AN_APP` for settings that cannot work; what fails later rejects `ready`
 */
export function serveFastcgi(app: AppSource, options: FastcgiServerOptions = {}): RunningFastcgiServer {
  checkServerOptions(options);
  const { listen = "fd://0", context = createContext(), gracefulTimeoutMs = 30_000, maxBodyBytes } = options;
  const binds = (typeof listen === "string" ? [listen] : listen).map(parseBind);
  const newRuntime = (source: AppSource): Runtime =>
    new Runtime(source, { context, ...(maxBodyBytes !== undefined && { maxBodyBytes }) });
  const connections = new ConnectionRoom(options.maxConnections ?? MAX_CONNECTIONS);
  const runtimes = new Runtimes(newRuntime(app));
  let whenIdle = (): void => {};
  const settings: ConnectionSettings = {
    runtimes,
    variables: options,
    codec: codecOptions(options),
    idleGraceMs: options.idleGraceMs ?? IDLE_GRACE_MS,
    headerTimeoutMs: options.headerTimeoutMs ?? HEADER_TIMEOUT_MS,
    pace: paceOf(options),
    writeTimeoutMs: options.writeTimeoutMs ?? WRITE_TIMEOUT_MS,
    spill: { spool: options.spool ?? fileSpool(), maxSpoolBytes: options.maxSpoolBytes ?? 67_108_864 },
  };
  const add = (socket: Socket): void => {
    const connection = new Connection(socket, settings, () => {
      connections.delete(connection);
      if (connections.size === 0) whenIdle();
    });
    connections.add(connection);
  };
  const isAllowed = peerTest(options);
  const accept = (socket: Socket): void => {
    if (!isAllowed(socket)) {
      context.log.warn({ peer: socket.remoteAddress }, "a FastCGI connection was refused: its peer is not allowed");
      socket.destroy();
    } else if (connections.makeRoom()) add(socket);
    else socket.destroy();
  };
  let listening: Listening[] = [];
  let closing: Promise<void> | null = null;
  let cutNow = (): void => {};
  let stopLooking = (): void => {};

  async function start(): Promise<void> {
    await runtimes.current.start();
    try {
      listening = await listenAll(binds, () => createServer({ allowHalfOpen: true }, accept), listenOptions(options));
    } catch (error) {
      await runtimes.current.stop(AbortSignal.timeout(gracefulTimeoutMs));
      throw error;
    }
    stopLooking = lookAt(connections, settings);
  }

  /** Settles when every connection has closed, or cuts them at the deadline. */
  async function drain(deadline: AbortSignal): Promise<void> {
    for (const connection of connections) connection.leave();
    if (connections.size === 0) return;
    await new Promise<void>((resolve) => {
      whenIdle = resolve;
      const cut = (): void => {
        for (const connection of connections) connection.destroy();
      };
      if (deadline.aborted) cut();
      else deadline.addEventListener("abort", cut, { once: true });
    });
  }

  async function stop(): Promise<void> {
    const cut = new AbortController();
    cutNow = () => cut.abort();
    const deadline = AbortSignal.any([cut.signal, AbortSignal.timeout(gracefulTimeoutMs)]);
    await ready;
    await Promise.all(listening.map((one) => one.close()));
    await drain(deadline);
    stopLooking();
    await runtimes.current.stop(deadline);
  }

  async function reload(nextApp?: AppSource): Promise<void> {
    await ready;
    if (nextApp === undefined) return runtimes.current.app.reload?.();
    const next = newRuntime(nextApp);
    await next.start();
    const old = runtimes.swap(next);
    const deadline = AbortSignal.timeout(gracefulTimeoutMs);
    await runtimes.finished(old, deadline);
    await old.stop(deadline);
  }

  const ready = start();
  return {
    get addresses() {
      return listening.map(({ address }) => address);
    },
    ready,
    close() {
      if (closing !== null) cutNow();
      closing ??= stop();
      return closing;
    },
    reload,
  };
}

function codecOptions(options: FastcgiServerOptions): ConnectionSettings["codec"] {
  const {
    role = "responder",
    maxConnections = MAX_CONNECTIONS,
    maxRequestsPerConnection = 100,
    maxParamsBytes,
    maxParams,
  } = options;
  const limits = {
    ...(maxParamsBytes !== undefined && { maxBytes: maxParamsBytes }),
    ...(maxParams !== undefined && { maxPairs: maxParams }),
  };
  return {
    ...limits,
    roles: [role],
    maxRequests: maxRequestsPerConnection,
    paramsDecoder: new ParamsDecoder(limits),
    // §4.1: the most connections, the most requests over all of them, whether one connection may carry several.
    values: new Map([
      ["FCGI_MAX_CONNS", String(maxConnections)],
      ["FCGI_MAX_REQS", String(maxConnections * maxRequestsPerConnection)],
      ["FCGI_MPXS_CONNS", maxRequestsPerConnection > 1 ? "1" : "0"],
    ]),
  };
}

function paceOf(options: FastcgiServerOptions): BodyPace {
  const { bodyTimeoutMs = 20_000, minBodyBytesPerSecond = 500, requestTimeoutMs = 900_000 } = options;
  return { bodyTimeoutMs, minBodyBytesPerSecond, requestTimeoutMs };
}

/** Looks at every connection, so often that no limit is overrun by more than a quarter, once a second at most. */
function lookAt(connections: ConnectionRoom, { pace, writeTimeoutMs }: ConnectionSettings): () => void {
  const limits = [pace.bodyTimeoutMs, pace.requestTimeoutMs, writeTimeoutMs].filter((ms) => ms > 0);
  const everyMs = Math.min(1_000, Math.max(20, Math.min(...limits) / 4));
  const timer = setInterval(() => {
    const now = performance.now();
    for (const connection of connections) connection.check(now);
  }, everyMs).unref();
  return () => clearInterval(timer);
}

/** Which peers may connect (R-F9). Unix sockets are guarded by their file's permissions. */
function peerTest({ allowedPeers = LOOPBACK }: FastcgiServerOptions): (socket: Socket) => boolean {
  const listed = named("allowedPeers", allowedPeers);
  const fromEnvironment = process.env.FCGI_WEB_SERVER_ADDRS;
  const narrowed = fromEnvironment
    ? named(
        "FCGI_WEB_SERVER_ADDRS",
        fromEnvironment.split(",").map((one) => one.trim()),
      )
    : null;
  return ({ remoteAddress, remotePort }) => {
    if (remoteAddress === undefined) return true;
    const peer = { host: remoteAddress, port: remotePort ?? 0 };
    return listed.includes(peer) && (narrowed === null || narrowed.includes(peer));
  };
}

/** @throws GatewayError `GW_PEER_LIST` that says where the list is from */
function named(name: string, entries: readonly string[]): PeerList {
  try {
    return peerList(entries);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new GatewayError(error.code, error.status, `${name}: ${error.message}`, { cause: error });
  }
}

function listenOptions({ unixMode }: FastcgiServerOptions): { mode?: number } {
  return unixMode === undefined ? {} : { mode: unixMode };
}
