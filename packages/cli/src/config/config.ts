// The configuration file: what `gw.config.ts` exports.
import type { AppSource, Middleware } from "@gw/core";

/** Where an app comes from: a value, or a target as on the command line (`"cgi-bin:./dir"`, `"./app.ts"`). */
export type AppReference = AppSource | string;

/**
 * A configuration. Keys other than `app`, `mounts` and `use` are the command's
 * flags in camel case; times are in seconds or texts such as `"30s"`, sizes in bytes or texts such as `"10m"`.
 */
export interface Config {
  /** The app that answers what no mount takes. */
  app?: AppReference;
  /** Apps by path prefix (`"/app"`), host (`"admin.example.com"`) or both (`"admin.example.com/app"`). */
  mounts?: Readonly<Record<string, AppReference>>;
  /** Layers around everything, the first outermost: values, or texts as for `--use`. */
  use?: readonly (Middleware | string)[];
  /** Shape of the app's function. @default "auto" */
  interface?: "auto" | "app" | "handler" | "fetch" | "wsgi" | "asgi";
  /** ASGI lifespan of an ASGI-shaped app. @default "auto" */
  lifespan?: "auto" | "on" | "off";
  /** Path a front proxy has stripped. */
  rootPath?: string;
  /** File of environment variables to read first. */
  envFile?: string;
  /** `host:port`, `unix:/path` or `fd://3`. @default "127.0.0.1:8000" */
  bind?: string | readonly string[];
  host?: string;
  port?: number;
  uds?: string;
  fd?: number;
  /** Certificate chain, PEM file; turns TLS on. */
  sslCertfile?: string;
  /** Private key, PEM file. @default the certificate file */
  sslKeyfile?: string;
  /** HTTP versions offered with TLS. @default "auto" */
  http?: "auto" | "1" | "2";
  /** Accept HTTP/2 without TLS. @default false */
  h2c?: boolean;
  /** Longest time to receive a whole request. @default "15m" */
  timeout?: number | string;
  /** Longest time to receive a request head. @default "10s" */
  headerTimeout?: number | string;
  /** Idle time of a kept connection. @default "65s" */
  keepAlive?: number | string;
  /** Time that running requests get at shutdown. @default "30s" */
  gracefulTimeout?: number | string;
  /** Requests at once; beyond: 503 with Retry-After. @default no limit */
  limitConcurrency?: number;
  /** Largest request body. @default "10m" */
  limitRequestBody?: number | string;
  /** Read forwarding headers from the peers of `forwardedAllowIps`. @default false */
  proxyHeaders?: boolean;
  /** Peers to believe. @default ["127.0.0.1", "::1"] */
  forwardedAllowIps?: string | readonly string[];
  /** Expect the PROXY protocol from those peers. @default false */
  proxyProtocol?: boolean;
  /** One line per request on stdout. @default true */
  accessLog?: boolean;
  /** @default "info" */
  logLevel?: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** @default "text" */
  logFormat?: "text" | "json";
  /** Load the app anew when a file changes. @default false */
  reload?: boolean;
  reloadDir?: string | readonly string[];
  /** File to write the process id to. */
  pid?: string;
}

/** Gives a configuration its type: `export default defineConfig({ … })`. */
export function defineConfig(config: Config): Config {
  return config;
}
