// http:// and https://: an app behind another HTTP server.
import type { ProxyOptions } from "@gw/http";
import type { TargetOptionKind } from "./target.ts";
import type { TargetKind } from "./target-kind.ts";

const PROXY = {
  connectTimeoutMs: "number",
  headerTimeoutMs: "number",
  idleTimeoutMs: "number",
  timeoutMs: "number",
  maxConnections: "number",
  maxIdleConnections: "number",
  keepAliveMs: "number",
  maxQueued: "number",
  queueTimeoutMs: "number",
  stripMount: "switch",
  keepHost: "switch",
  forwarding: ["x-forwarded", "forwarded", "both", "none"],
  authorization: "switch",
  userHeader: "text",
  groupsHeader: "text",
  variableHeaders: "record",
} as const satisfies { readonly [K in keyof ProxyOptions]?: TargetOptionKind };

function proxyKind(scheme: "http" | "https", help: string): TargetKind {
  return {
    name: scheme,
    example: `${scheme}://host:port`,
    help,
    place: "name",
    options: PROXY,
    async build(rest, options) {
      const { proxy } = await import("@gw/http");
      return proxy({ ...options, target: `${scheme}:${rest}` });
    },
  };
}

/** Both of them. */
export const PROXY_KINDS: readonly TargetKind[] = [
  proxyKind("http", "an app behind another HTTP server; userHeader= names the field that tells it the user"),
  proxyKind("https", "the same over TLS; its certificate is verified"),
];
