// Settings of connections and requests: TLS, limits, proxies.
import { LISTENING, type Option, SERVING } from "./option.ts";

/** TLS and the versions of HTTP. */
export const TLS: readonly Omit<Option, "group" | "only">[] = [
  { key: "sslCertfile", kind: "path", value: "FILE", help: "certificate chain, PEM; turns TLS on" },
  { key: "sslKeyfile", kind: "path", value: "FILE", help: "private key, PEM", default: "the certificate file" },
  {
    key: "http",
    kind: "text",
    choices: ["auto", "1", "2"],
    help: "HTTP versions; auto: both, chosen by ALPN over TLS",
    default: "auto",
  },
  { key: "h2c", kind: "switch", help: "HTTP/2 without TLS, for clients that start with it", default: "off" },
];

/** What clients may cost. */
export const LIMITS: readonly Omit<Option, "group">[] = [
  {
    key: "timeout",
    short: "t",
    kind: "duration",
    value: "TIME",
    only: LISTENING,
    help: "longest time to receive a whole request",
    default: "15m",
  },
  {
    key: "headerTimeout",
    kind: "duration",
    value: "TIME",
    only: LISTENING,
    help: "longest time to receive a request head; gw fastcgi: the variables",
    default: "10s; gw fastcgi 60s",
  },
  {
    key: "keepAlive",
    kind: "duration",
    value: "TIME",
    only: SERVING,
    help: "idle time of a kept connection",
    default: "65s",
  },
  {
    key: "gracefulTimeout",
    kind: "duration",
    value: "TIME",
    only: [...LISTENING, "cgi"],
    help: "time for running requests at a stop or reload",
    default: "30s; gw dev 1s, gw cgi 5s",
  },
  {
    key: "limitConcurrency",
    kind: "number",
    value: "N",
    only: LISTENING,
    help: "requests at once, of all workers together; further ones wait",
    default: "no limit",
  },
  {
    key: "limitQueue",
    kind: "number",
    value: "N",
    only: LISTENING,
    help: "requests that wait for a turn, of all workers; beyond: 503 with Retry-After",
    default: "64",
  },
  {
    key: "queueTimeout",
    kind: "duration",
    value: "TIME",
    only: LISTENING,
    help: "longest wait for a turn; then 503 with Retry-After",
    default: "5s",
  },
  {
    key: "limitClientRequests",
    kind: "number",
    value: "N",
    only: SERVING,
    help: "requests at once of one client address, IPv6 by /64; beyond: 429 with Retry-After",
    default: "no limit",
  },
  {
    key: "limitClientConnections",
    kind: "number",
    value: "N",
    only: SERVING,
    help: "connections at once of one client address, IPv6 by /64; beyond: closed",
    default: "no limit",
  },
  {
    key: "minBodyRate",
    kind: "size",
    value: "SIZE",
    only: LISTENING,
    help: "slowest upload, bytes per second, after 20 s; slower: 408",
    default: "500",
  },
  {
    key: "writeTimeout",
    kind: "duration",
    value: "TIME",
    only: LISTENING,
    help: "how long a client, or a web server, may read nothing of its answer before it is cut off",
    default: "60s",
  },
  { key: "limitRequestBody", kind: "size", value: "SIZE", help: "largest request body", default: "10m" },
];

/** Front servers. */
export const PROXIES: readonly Omit<Option, "group" | "only">[] = [
  {
    key: "proxyHeaders",
    kind: "switch",
    help: "believe X-Forwarded-* and Forwarded of the listed peers",
    default: "off",
  },
  { key: "proxyProtocol", kind: "switch", help: "expect the PROXY protocol from the listed peers", default: "off" },
  {
    key: "forwardedAllowIps",
    kind: "list",
    value: "LIST",
    help: "the peers: addresses, networks, unix",
    default: "127.0.0.1,::1,unix",
  },
  {
    key: "identityFrom",
    kind: "list",
    value: "LIST",
    help: "peers that log users in and say so in a header: addresses, networks, unix",
    default: "none",
  },
  {
    key: "identityHeader",
    kind: "text",
    repeatable: true,
    value: "VARIABLE=HEADER",
    help: "what those peers say, and the variable it becomes; all of them must set or remove it on every request",
    default: "REMOTE_USER=Remote-User",
  },
];
