// serve(app): an app on listening sockets.
import { type Address, type AppSource, createContext, GatewayError, peerList, Runtime } from "@gw/core";
import { type Listening, listenAll, parseBind } from "@gw/core/node";
import { createBind } from "./binds.ts";
import { ClientLoad } from "./client-counts.ts";
import { Generation } from "./generation.ts";
import { createHttp1 } from "./http1.ts";
import { createHttp2 } from "./http2.ts";
import { resolveLimits } from "./limits.ts";
import type { RunningServer, ServeOptions } from "./options.ts";
import { resolveRules } from "./request-rules.ts";
import type { ServerState } from "./server-state.ts";
import { drainServer, finishGeneration } from "./shutdown.ts";
import { type Certificates, loadCertificates } from "./tls.ts";
import { watchConnections } from "./watch.ts";
import { createOpener } from "./websocket-open.ts";
import { resolveWebSocket } from "./websocket-settings.ts";

/**
 * Serves an app over HTTP; returns at once, `ready` tells when it listens.
 *
 * @throws GatewayError `GW_HTTP_OPTION`, `GW_BIND`, `GW_NOT_AN_APP` for settings that cannot work. What fails later
 *   (a port in use, a certificate that cannot be read, an app that does not start) rejects `ready`.
 */
export function serve(app: AppSource, options: ServeOptions = {}): RunningServer {
  const { bind = "127.0.0.1:8000", context = createContext(), gracefulTimeoutMs = 30_000, idleGraceMs = 100 } = options;
  checkTimes({ gracefulTimeoutMs, idleGraceMs });
  const binds = (typeof bind === "string" ? [bind] : bind).map(parseBind);
  const limits = resolveLimits(options.limits);
  const newRuntime = (source: AppSource): Runtime =>
    new Runtime(source, { context, maxBodyBytes: limits.maxBodyBytes });
  const state: ServerState = {
    generation: new Generation(newRuntime(app)),
    limits,
    clients: new ClientLoad(limits),
    rules: resolveRules(options),
    webSocket: resolveWebSocket(options.webSocket),
    log: context.log,
    sockets: new Set(),
    connections: new Set(),
    now: performance.now(),
    isDraining: false,
    idleGraceMs,
  };
  const versions = versionsOf(options);
  const proxies = options.proxyProtocol === undefined ? null : peerList(options.proxyProtocol);
  const opener = createOpener(state.webSocket);
  const http1 = createHttp1(state, opener).accept;
  const http2 = createHttp2(state, opener).accept;
  const watch = watchConnections(state);
  let certificates: Certificates | null = null;
  let listening: Listening[] = [];
  let closing: Promise<void> | null = null;
  let cutNow = (): void => {};

  async function start(): Promise<void> {
    try {
      if (options.tls !== undefined) certificates = await loadCertificates(options.tls);
      await state.generation.runtime.start();
      try {
        listening = await listenAll(
          binds,
          () => createBind({ state, certificates, versions, proxies, http1, http2 }),
          listenOptions(options),
        );
      } catch (error) {
        await state.generation.runtime.stop(AbortSignal.timeout(gracefulTimeoutMs));
        throw error;
      }
    } catch (error) {
      watch.stop();
      throw error;
    }
  }

  async function stop(): Promise<void> {
    const cut = new AbortController();
    cutNow = () => cut.abort();
    const deadline = AbortSignal.any([cut.signal, AbortSignal.timeout(gracefulTimeoutMs)]);
    try {
      await ready;
    } catch {
      return; // nothing was left running
    }
    state.isDraining = true;
    state.now = performance.now();
    watch.hurry();
    try {
      await Promise.all(listening.map((one) => one.close()));
      await drainServer(state, deadline);
    } finally {
      watch.stop();
    }
    await state.generation.runtime.stop(deadline);
  }

  async function reload(nextApp?: AppSource): Promise<void> {
    await ready;
    if (closing !== null)
      throw new GatewayError("GW_HTTP_CLOSED", 500, "the server is closing: nothing can be reloaded");
    const useCertificates = await certificates?.prepare();
    if (nextApp === undefined) await state.generation.runtime.app.reload?.();
    else {
      const next = new Generation(newRuntime(nextApp));
      await next.runtime.start();
      const old = state.generation;
      state.generation = next;
      useCertificates?.();
      await finishGeneration(state, old, AbortSignal.timeout(gracefulTimeoutMs));
      return;
    }
    useCertificates?.();
  }

  const ready = start();
  return {
    get url() {
      const first = listening[0];
      if (first === undefined)
        throw new GatewayError("GW_HTTP_NOT_READY", 500, "the server does not listen yet; await its `ready`");
      return urlOf(first.address, options.tls !== undefined);
    },
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

function checkTimes(times: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(times)) {
    if (value >= 0) continue;
    throw new GatewayError("GW_HTTP_OPTION", 500, `${name}: expected milliseconds from 0 on, found ${String(value)}`);
  }
}

/** HTTP versions served. Without TLS, HTTP/2 is spoken only when asked for. */
function versionsOf({ http = "auto", h2c = false, tls }: ServeOptions): readonly (1 | 2)[] {
  if (http !== "auto" && http !== 1 && http !== 2) {
    throw new GatewayError("GW_HTTP_OPTION", 500, `http: expected "auto", 1 or 2, found ${JSON.stringify(http)}`);
  }
  if (http !== "auto") return [http];
  return tls !== undefined || h2c ? [1, 2] : [1];
}

function listenOptions({ unixMode, backlog }: ServeOptions): { mode?: number; backlog?: number } {
  return { ...(unixMode !== undefined && { mode: unixMode }), ...(backlog !== undefined && { backlog }) };
}

/** URL of an address; a wildcard address as localhost, since it is no place to go. */
function urlOf(address: Address, isTls: boolean): string {
  const scheme = isTls ? "https" : "http";
  if ("path" in address) return `${scheme}+unix://${encodeURIComponent(address.path)}`;
  const { host, port } = address;
  if (host === "0.0.0.0" || host === "::") return `${scheme}://localhost:${port}`;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
