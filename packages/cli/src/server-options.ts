// Settings of the command → options of `serve`. Pure.
import type { ServeOptions } from "@gw/http";
import type { EffectiveSettings } from "./config/settings.ts";
import { UsageError } from "./usage-error.ts";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8000;
const LOCAL_PEERS: readonly string[] = ["127.0.0.1", "::1"];

/** The addresses to bind: `--bind`, or `--uds`, `--fd`, `--host` and `--port`. */
export function bindsOf(settings: EffectiveSettings): readonly string[] {
  const binds = [...settings.list("bind")];
  const uds = settings.text("uds");
  const fd = settings.number("fd");
  if (uds !== undefined) binds.push(`unix:${uds}`);
  if (fd !== undefined) binds.push(`fd://${fd}`);
  const host = settings.text("host");
  const port = settings.number("port");
  if (binds.length === 0 || host !== undefined || port !== undefined) {
    const name = host ?? DEFAULT_HOST;
    binds.push(`${name.includes(":") && !name.startsWith("[") ? `[${name}]` : name}:${port ?? DEFAULT_PORT}`);
  }
  return binds;
}

/**
 * What `serve` is told.
 *
 * @throws UsageError for settings that contradict each other
 */
export function serveOptionsOf(settings: EffectiveSettings): ServeOptions {
  const peers = settings.list("forwardedAllowIps").length > 0 ? settings.list("forwardedAllowIps") : LOCAL_PEERS;
  const http = settings.text("http");
  return {
    bind: bindsOf(settings),
    ...tlsOf(settings),
    ...(http !== undefined && { http: http === "auto" ? "auto" : http === "1" ? 1 : 2 }),
    ...(settings.isOn("h2c") !== undefined && { h2c: settings.isOn("h2c") as boolean }),
    ...(settings.isOn("proxyHeaders") && { trustedProxies: peers }),
    ...(settings.isOn("proxyProtocol") && { proxyProtocol: peers }),
    ...(settings.number("gracefulTimeout") !== undefined && {
      gracefulTimeoutMs: settings.number("gracefulTimeout") as number,
    }),
    limits: limitsOf(settings),
  };
}

function tlsOf(settings: EffectiveSettings): { tls?: NonNullable<ServeOptions["tls"]> } {
  const certificate = settings.text("sslCertfile");
  const key = settings.text("sslKeyfile");
  if (certificate === undefined) {
    if (key !== undefined) throw new UsageError("--ssl-keyfile needs --ssl-certfile");
    return {};
  }
  return { tls: { certFile: certificate, keyFile: key ?? certificate } };
}

function limitsOf(settings: EffectiveSettings): NonNullable<ServeOptions["limits"]> {
  const pairs: readonly (readonly [keyof NonNullable<ServeOptions["limits"]>, string])[] = [
    ["requestTimeoutMs", "timeout"],
    ["headerTimeoutMs", "headerTimeout"],
    ["keepAliveTimeoutMs", "keepAlive"],
    ["maxConcurrentRequests", "limitConcurrency"],
    ["maxBodyBytes", "limitRequestBody"],
  ];
  return Object.fromEntries(
    pairs.flatMap(([name, key]) => (settings.number(key) === undefined ? [] : [[name, settings.number(key)]])),
  );
}
