// An app as a (req, res) function: mounted in Express, Fastify or any node:http server.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type AppSource, createContext, decodePercent, Runtime, splitMount } from "@gw/core";
import { ClientLoad } from "./client-counts.ts";
import { Generation } from "./generation.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { readHttp1Head } from "./http1-head.ts";
import { Http1Upgrade, readUpgrade, responseFor, type UpgradeRules } from "./http1-upgrade.ts";
import { checkLoad, resolveLimits } from "./limits.ts";
import { NodeLink } from "./node-link.ts";
import type { ServeOptions } from "./options.ts";
import { Peer, socketFacts } from "./peer.ts";
import { refuse } from "./refusal.ts";
import { applyRules, type RequestFacts, resolveRules } from "./request-rules.ts";
import { createOpener } from "./websocket-open.ts";
import { resolveWebSocket } from "./websocket-settings.ts";

/** Settings of `toNodeHandler`: those of `serve` that do not concern sockets and times, which are the other server's. */
export type NodeHandlerOptions = Pick<
  ServeOptions,
  | "limits"
  | "webSocket"
  | "trustedProxies"
  | "forwardedFields"
  | "identityHeaders"
  | "identityFrom"
  | "allowedHosts"
  | "gracefulTimeoutMs"
  | "context"
>;

/** An app as node:http and its frameworks take it. */
export interface NodeHandler {
  /** For `createServer(handler)`, `app.use("/path", handler)` and the like. */
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void;
  /** For `server.on("upgrade", handler.upgrade)`: WebSockets. */
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Starts the app; the first request does so otherwise, and waits for it. */
  start(): Promise<void>;
  /** Lets running exchanges end, at most `gracefulTimeoutMs`, and stops the app. Close the server first. */
  close(): Promise<void>;
}

/** Time between two looks at the open WebSockets. */
const LOOK_MS = 1_000;

/**
 * Makes a (req, res) function of an app.
 *
 * Where a framework has mounted it (`req.baseUrl`), that is the request's mount. Put it before body parsers: a body that
 * was read is gone. Times, sizes of heads and TLS are the server's own; everything else is as with `serve`.
 */
export function toNodeHandler(app: AppSource, options: NodeHandlerOptions = {}): NodeHandler {
  const { context = createContext(), gracefulTimeoutMs = 30_000 } = options;
  const limits = resolveLimits(options.limits);
  const generation = new Generation(new Runtime(app, { context, maxBodyBytes: limits.maxBodyBytes }));
  const checks: UpgradeRules = {
    limits,
    generation,
    clients: new ClientLoad({ ...limits, maxConnectionsPerClient: 0 }),
    rules: resolveRules(options),
    webSocket: resolveWebSocket(options.webSocket),
  };
  const opener = createOpener(checks.webSocket);
  const sockets = new Set<Http1Upgrade>();
  let timer: NodeJS.Timeout | null = null;
  let isStarted = false;
  let starting: Promise<void> | null = null;

  function start(): Promise<void> {
    starting ??= generation.runtime.start().then(() => {
      isStarted = true;
      timer = setInterval(() => {
        for (const exchange of sockets) exchange.check(performance.now());
      }, LOOK_MS).unref();
    });
    return starting;
  }

  function handle(req: IncomingMessage, res: ServerResponse): void {
    try {
      const { host, length } = readHttp1Head(req, limits);
      const wire = { method: req.method as string, target: targetOf(req), authority: host, flat: req.rawHeaders };
      const peer = peerOf(req.socket);
      const facts = mounted(applyRules(wire, peer, checks.rules), req);
      checkLoad(checks, facts.client);
      const link = new NodeLink(req.socket, peer.tls, limits);
      const exchange = new Http1Exchange({ link, generation, req, res }, length, false);
      checks.clients.enter(facts.client, exchange);
      link.exchange = exchange;
      res.once("close", () => exchange.abort());
      exchange.run(facts);
    } catch (error) {
      refuse(res, error);
    }
  }

  function upgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const peer = peerOf(socket);
    const link = new NodeLink(socket, peer.tls, limits);
    try {
      const { facts, subprotocols } = readUpgrade(req, peer, checks);
      const exchange = new Http1Upgrade({ link, generation, req }, { head, settings: checks.webSocket, opener });
      checks.clients.enter(facts.client, exchange);
      sockets.add(exchange);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(exchange);
        exchange.abort();
      });
      exchange.run(facts, subprotocols);
    } catch (error) {
      const res = responseFor(req, socket);
      res.once("finish", () => link.closeGently());
      refuse(res, error);
    }
  }

  const handler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void => {
    if (isStarted) handle(req, res);
    else
      start().then(
        () => handle(req, res),
        (error) => (next === undefined ? refuse(res, error) : next(error)),
      );
  };
  return Object.assign(handler, {
    start,
    upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
      start().then(
        () => upgrade(req, socket as Socket, head),
        () => socket.destroy(),
      );
    },
    async close(): Promise<void> {
      if (starting === null) return;
      await starting;
      const deadline = AbortSignal.timeout(gracefulTimeoutMs);
      generation.closeSockets();
      await Promise.race([
        generation.idle(),
        new Promise((resolve) => deadline.addEventListener("abort", resolve, { once: true })),
      ]);
      generation.cutSockets();
      if (timer !== null) clearInterval(timer);
      await generation.runtime.stop(deadline);
    },
  });
}

/** Express and its kin shorten `url` under a mount and keep the whole in `originalUrl`. */
interface MountedMessage extends IncomingMessage {
  readonly originalUrl?: string;
  readonly baseUrl?: string;
}

function targetOf(req: MountedMessage): string {
  return req.originalUrl ?? (req.url as string);
}

function mounted(facts: RequestFacts, { baseUrl }: MountedMessage): RequestFacts {
  if (baseUrl === undefined || baseUrl === "") return facts;
  const mount = decodePercent(baseUrl);
  const path = mount === null ? null : splitMount(facts.path, mount);
  return mount === null || path === null ? facts : { ...facts, mount, path };
}

const peers = new WeakMap<Socket, Peer>();

function peerOf(socket: Socket): Peer {
  let peer = peers.get(socket);
  if (peer === undefined) {
    peer = new Peer(socketFacts(socket));
    peers.set(socket, peer);
  }
  return peer;
}
