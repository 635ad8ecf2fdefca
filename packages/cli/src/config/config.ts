// The configuration file: what `gw.config.ts` exports.
import type { AppSource, FetchSource, Middleware, MountOptions } from "@gw/core";

/**
 * Where an app comes from: an app, a handler, an object with `fetch(request)`, or a target as on the command line
 * (`"cgi-bin:./dir"`, `"./app.ts"`), whose relative paths start from the file's folder.
 */
export type AppReference = AppSource | Extract<FetchSource, object> | string;

/** An app at a mount, with settings of the mount. */
export interface MountReference extends MountOptions {
  app: AppReference;
  /** The access log of this mount: none, a format, or a format and a file. @default that of the gateway */
  accessLog?: boolean | string | MountAccessLog;
  /** Requests at once to this mount, of all workers together; further ones wait. @default no limit */
  limitConcurrency?: number;
  /** Requests that wait for their turn here; beyond: 503 with Retry-After. Needs `limitConcurrency`. @default 64 */
  limitQueue?: number;
  /** Longest wait here; then 503 with Retry-After. Needs `limitConcurrency`. @default "5s" */
  queueTimeout?: number | string;
}

/** An access log of a mount's own. */
export interface MountAccessLog {
  /** `"combined"`, `"common"`, `"json"`, or Apache's letters. @default that of the gateway */
  format?: string;
  /** File to append to, from the configuration's folder; opened anew on USR1. @default where the gateway's goes */
  file?: string;
}

/**
 * A configuration. Keys other than `app`, `mounts` and `use` are the command's
 * flags in camel case; times are in seconds or texts such as `"30s"`, sizes in bytes or texts such as `"10m"`.
 */
export interface Config {
  /** Where editors find the JSON Schema of a `gw.config.json`; it means nothing here. */
  $schema?: string;
  /** The app that answers what no mount takes. */
  app?: AppReference;
  /** Apps by path prefix (`"/app"`), host (`"admin.example.com"`) or both (`"admin.example.com/app"`). */
  mounts?: Readonly<Record<string, AppReference | MountReference>>;
  /** Layers around everything, the first outermost: values, or texts as for `--use`. */
  use?: readonly (Middleware | string)[];
  /** Shape of what the app's file exports. @default "auto" */
  interface?: "auto" | "app" | "handler" | "fetch" | "wsgi" | "asgi";
  /** Threads for WSGI-shaped apps; of a TypeScript app 0: the main thread, which it then blocks. @default 1; Python 8 */
  threads?: number;
  /** Whether an ASGI-shaped app is told of start and stop. @default "auto" */
  lifespan?: "auto" | "on" | "off";
  /** Path that a front proxy has taken off. */
  rootPath?: string;
  /** Interpreter of Python apps: a path, or a name on PATH. @default their virtual environment, else python3 */
  python?: string;
  /** File of environment variables to read once this file has been read; those already set stay. */
  envFile?: string;
  /** `host:port`, `unix:/path` or `fd://3`. @default "127.0.0.1:8000" */
  bind?: string | readonly string[];
  /** Host to bind. @default "127.0.0.1" */
  host?: string;
  /** Port to bind; 0: any free one. @default 8000 */
  port?: number;
  /** Unix socket to bind. */
  uds?: string;
  /** Inherited socket to use. */
  fd?: number;
  /** What web servers ask of `gw fastcgi`; `"authorizer"`: the layers decide, without an app. @default "responder" */
  role?: "responder" | "authorizer" | "filter";
  /** Web servers that may connect to `gw fastcgi` over TCP: addresses, networks. @default 127.0.0.1 and ::1 */
  allowedPeers?: string | readonly string[];
  /** Believe the REMOTE_USER and AUTH_TYPE of the web server of `gw fastcgi` and `gw cgi`. Risk: it must set or clear them itself. @default false */
  trustRemoteUser?: boolean;
  /** The mount, decoded, where SCRIPT_NAME of the web server of `gw fastcgi` and `gw cgi` is not it; `"/"`: none. @default SCRIPT_NAME */
  mountedAt?: string;
  /** Certificate chain, PEM file; turns TLS on. */
  sslCertfile?: string;
  /** Private key, PEM file. @default the certificate file */
  sslKeyfile?: string;
  /** HTTP versions; `"auto"`: both, chosen by ALPN over TLS. @default "auto" */
  http?: "auto" | "1" | "2" | 1 | 2;
  /** HTTP/2 without TLS, for clients that start with it. @default false */
  h2c?: boolean;
  /** Longest time to receive a whole request. @default "15m" */
  timeout?: number | string;
  /** Longest time to receive a request head. @default "10s" */
  headerTimeout?: number | string;
  /** Idle time of a kept connection. @default "65s" */
  keepAlive?: number | string;
  /** Time for running requests at a stop or reload. @default "30s" */
  gracefulTimeout?: number | string;
  /** Requests at once, of all workers together; further ones wait. @default no limit */
  limitConcurrency?: number;
  /** Requests that wait for a turn, of all workers; beyond: 503 with Retry-After. @default 64 */
  limitQueue?: number;
  /** Longest wait for a turn; then 503 with Retry-After. @default "5s" */
  queueTimeout?: number | string;
  /** Largest request body. @default "10m" */
  limitRequestBody?: number | string;
  /** Believe X-Forwarded-* and Forwarded of the peers in `forwardedAllowIps`. @default false */
  proxyHeaders?: boolean;
  /** Expect the PROXY protocol from those peers. @default false */
  proxyProtocol?: boolean;
  /** Peers to believe: addresses, networks, `"unix"`. @default ["127.0.0.1", "::1", "unix"] */
  forwardedAllowIps?: string | readonly string[];
  /** Peers that log users in and say so in a header. Each must set or remove it on every request. @default none */
  identityFrom?: string | readonly string[];
  /** What those peers say, and the variables it becomes: `["REMOTE_USER=Remote-User", "REMOTE_GROUPS=Remote-Groups"]`. @default ["REMOTE_USER=Remote-User"] */
  identityHeader?: string | readonly string[];
  /** Requests at once of one client address, IPv6 by /64; beyond: 429 with Retry-After. @default no limit */
  limitClientRequests?: number;
  /** Connections at once of one client address, IPv6 by /64; beyond: closed. @default no limit */
  limitClientConnections?: number;
  /** Slowest upload, bytes per second, after 20 s; slower: 408. @default 500 */
  minBodyRate?: number | string;
  /** How long a client may read nothing of its answer before it is cut off. @default "60s" */
  writeTimeout?: number | string;
  /** One line per request. @default true */
  accessLog?: boolean;
  /** File to append access log lines to, opened anew on USR1. @default standard output */
  accessLogFile?: string;
  /** `"combined"`, `"common"`, `"json"`, or Apache's letters. @default "combined"; "json" with `logFormat: "json"` */
  accessLogFormat?: string;
  /** Least level to log. @default "info" */
  logLevel?: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Form of log lines. @default "text" */
  logFormat?: "text" | "json";
  /** File to append log lines to, opened anew on USR1. @default standard error */
  logFile?: string;
  /** Worker processes under one that keeps them; 0: one process alone. @default 0 */
  workers?: number;
  /** Replace a worker after so many requests. @default never */
  maxRequests?: number;
  /** Replace a worker that uses more memory. @default never */
  maxRss?: number | string;
  /** Kill and replace a worker that gives no sign of life for so long. @default "30s" */
  workerTimeout?: number | string;
  /** Where probes, metrics and the status page are: `127.0.0.1:9000`; `unix:/path` has control, too. @default none */
  admin?: string | readonly string[];
  /** Count requests by mount. @default true with `admin` */
  metrics?: boolean;
  /** At TERM, time between not being ready and taking no more connections. @default 0 */
  drainDelay?: number | string;
  /** Load the app anew when a file changes. @default false */
  reload?: boolean;
  /** Folders to watch. @default those of the app, its mounts and this file */
  reloadDir?: string | readonly string[];
  /** File to write the process id to once all binds listen. */
  pid?: string;
  /** End the start when a backend does not get ready, too, not only an app. @default false */
  strictStart?: boolean;
  /** Become this user once every address is bound, before anything is loaded; needs root. @default no change */
  user?: string;
  /** Become this group. @default that of `user` */
  group?: string;
  /** Permissions that new files do not get, octal: `"027"`. @default as inherited */
  umask?: string;
}

/** Gives a configuration its type: `export default defineConfig({ … })`. */
export function defineConfig(config: Config): Config {
  return config;
}
