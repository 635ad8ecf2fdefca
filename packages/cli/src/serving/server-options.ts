// Settings of the command → options of `serve`. Pure.
import { type GatewayError, isGatewayError, peerList } from "@gw/core";
import { parseBind } from "@gw/core/node";
import type { HttpLimits, ServeOptions } from "@gw/http";
import type { EffectiveSettings, Origin } from "../config/settings.ts";
import { UsageError } from "../usage-error.ts";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8000;
const LOCAL_PEERS: readonly string[] = ["127.0.0.1", "::1", "unix"];
const GRACEFUL_TIMEOUT_MS = 30_000;
const DEV_GRACEFUL_TIMEOUT_MS = 1_000; // nobody wants to wait for a browser's event stream at each save

/**
 * The addresses to bind: `--bind`, `--uds`, `--fd`, and `--host` with `--port`.
 *
 * They are one decision, so the source that comes first makes it alone: `--port 3000` does not add to a `bind` of the
 * file. Only host and port complete each other over sources.
 */
export function bindsOf(settings: EffectiveSettings): readonly string[] {
  const origin = firstOrigin(settings, ["bind", "uds", "fd", "host", "port"]);
  const isMine = (key: string): boolean => settings.originOf(key) === origin;
  const binds = isMine("bind") ? [...settings.list("bind")] : [];
  if (isMine("uds")) pushGiven(binds, "unix:", settings.text("uds"));
  if (isMine("fd")) pushGiven(binds, "fd://", settings.number("fd"));
  if (binds.length === 0 || isMine("host") || isMine("port")) {
    const host = settings.text("host") ?? DEFAULT_HOST;
    const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
    binds.push(`${name}:${settings.number("port") ?? DEFAULT_PORT}`);
  }
  return binds;
}

function firstOrigin(settings: EffectiveSettings, keys: readonly string[]): Origin | undefined {
  const origins = keys.map((key) => settings.originOf(key));
  return (["flag", "environment", "file"] as const).find((origin) => origins.includes(origin));
}

function pushGiven(binds: string[], prefix: string, value: string | number | undefined): void {
  if (value !== undefined) binds.push(`${prefix}${value}`);
}

/** How the server is run. */
export interface ServeMode {
  /** Reload on change, lint, error pages with stacks. */
  readonly isDevelopment: boolean;
}

/**
 * What `serve` is told.
 *
 * @throws UsageError for a value that cannot be, or settings that contradict each other
 */
export function serveOptionsOf(
  settings: EffectiveSettings,
  mode: ServeMode,
): ServeOptions & { readonly bind: readonly string[]; readonly gracefulTimeoutMs: number } {
  const bind = bindsOf(settings);
  checkBinds(bind);
  const listed = settings.list("forwardedAllowIps");
  const peers = listed.length > 0 ? listed : LOCAL_PEERS;
  checked(() => peerList(peers), "--forwarded-allow-ips: ");
  const http = settings.text("http");
  const h2c = settings.isOn("h2c");
  return {
    bind,
    ...tlsOf(settings),
    ...(http !== undefined && { http: http === "auto" ? "auto" : http === "1" ? 1 : 2 }),
    ...(h2c !== undefined && { h2c }),
    ...(settings.isOn("proxyHeaders") && { trustedProxies: peers }),
    ...(settings.isOn("proxyProtocol") && { proxyProtocol: peers }),
    ...identityOf(settings),
    gracefulTimeoutMs: gracefulTimeoutOf(settings, mode),
    limits: limitsIn(settings, LIMITS),
  };
}

/**
 * Refuses binds that cannot be, before anything is loaded.
 *
 * @throws UsageError
 */
export function checkBinds(binds: readonly string[]): void {
  for (const bind of binds) checked(() => parseBind(bind));
}

/** Time for what runs at a stop or reload, milliseconds. */
export function gracefulTimeoutOf(settings: EffectiveSettings, { isDevelopment }: Partial<ServeMode> = {}): number {
  return settings.number("gracefulTimeout") ?? (isDevelopment ? DEV_GRACEFUL_TIMEOUT_MS : GRACEFUL_TIMEOUT_MS);
}

/** Runs a parser of the core; what it refuses was typed by the user. */
export function checked(parse: () => unknown, prefix = ""): void {
  try {
    parse();
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    throw new UsageError(`${prefix}${(error as GatewayError).message}`, { cause: error });
  }
}

function tlsOf(settings: EffectiveSettings): { tls?: NonNullable<ServeOptions["tls"]> } {
  const certFile = settings.text("sslCertfile");
  const keyFile = settings.text("sslKeyfile");
  if (certFile !== undefined) return { tls: { certFile, keyFile: keyFile ?? certFile } };
  if (keyFile !== undefined) throw new UsageError("--ssl-keyfile needs --ssl-certfile");
  return {};
}

/** No peer is believed by default, not even this machine's own: whoever may connect from there could be anybody. */
function identityOf(settings: EffectiveSettings): Pick<ServeOptions, "identityFrom"> {
  const peers = settings.list("identityFrom");
  const headers = settings.list("identityHeader");
  if (peers.length === 0) {
    if (headers.length > 0)
      throw new UsageError("--identity-header needs --identity-from: the peers that it counts from");
    return {};
  }
  checked(() => peerList(peers), "--identity-from: ");
  if (headers.length === 0) return { identityFrom: { peers } };
  return { identityFrom: { peers, variables: Object.fromEntries(headers.map(variableAndHeader)) } };
}

function variableAndHeader(text: string): [variable: string, header: string] {
  const [, variable, header] = /^([A-Z][A-Z0-9_]*)=([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text) ?? [];
  if (variable !== undefined && header !== undefined && !variable.startsWith("HTTP_")) return [variable, header];
  throw new UsageError(
    `--identity-header: expected VARIABLE=Header such as REMOTE_USER=Remote-User, found ${JSON.stringify(text)}`,
  );
}

const LIMITS = {
  timeout: "requestTimeoutMs",
  headerTimeout: "headerTimeoutMs",
  keepAlive: "keepAliveTimeoutMs",
  limitRequestBody: "maxBodyBytes",
  limitClientRequests: "maxConcurrentRequestsPerClient",
  limitClientConnections: "maxConnectionsPerClient",
  minBodyRate: "minBodyBytesPerSecond",
  writeTimeout: "writeTimeoutMs",
} as const satisfies Readonly<Record<string, keyof HttpLimits>>;

/** Numbers that were set, by the names that a server has for them. */
export function limitsIn<Name extends string>(
  settings: EffectiveSettings,
  names: Readonly<Record<string, Name>>,
): Partial<Record<Name, number>> {
  const limits: Partial<Record<Name, number>> = {};
  for (const [key, name] of Object.entries(names)) {
    const value = settings.number(key);
    if (value !== undefined) limits[name] = value;
  }
  return limits;
}
