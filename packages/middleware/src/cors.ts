// Which other sites' scripts may read answers: Cross-Origin Resource Sharing (Fetch Standard §3.2; R-M11).
import {
  type Answer,
  GatewayError,
  type GatewayRequest,
  HeaderList,
  type HttpResponse,
  isToken,
  layer,
  type Middleware,
} from "@gw/core";
import { withVary } from "./headers/vary.ts";
import { checkedOrigins } from "./origin/checked-origins.ts";

/** Settings of `cors`. */
export interface CorsOptions {
  /** Origins that may read answers, exactly: `https://app.example.com`; a function that says so; or `"*"`: all, without credentials. */
  origins: readonly string[] | "*" | ((origin: string, request: GatewayRequest) => boolean);
  /** Whether requests may carry cookies and passwords. Risk: such a site acts as the user. @default false */
  credentials?: boolean;
  /** Methods that may be used. @default ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] */
  methods?: readonly string[];
  /** Fields that requests may carry. @default those the browser asks for */
  requestHeaders?: readonly string[];
  /** Fields of answers that scripts may read. @default none but the safelisted */
  exposeHeaders?: readonly string[];
  /** How long a browser remembers the answer to its question, seconds. @default 600 */
  maxAgeSeconds?: number;
}

const OURS = [
  "Access-Control-Allow-Origin",
  "Access-Control-Allow-Credentials",
  "Access-Control-Expose-Headers",
  "Access-Control-Allow-Methods",
  "Access-Control-Allow-Headers",
  "Access-Control-Max-Age",
];

/**
 * Answers browsers' preflight questions, and tells them which origins may read answers.
 *
 * What an app says of it is replaced: one place decides. Put it outside of layers that ask who the user is, since
 * questions carry no credentials. It refuses nothing: who must not write is stopped by `csrf`. Sockets pass; their
 * openings are not under CORS.
 *
 * @throws GatewayError `GW_CORS` for `"*"` with credentials; `GW_ORIGIN` for an entry that is no origin.
 */
export function cors(options: CorsOptions): Middleware {
  const { origins, credentials = false, exposeHeaders = [] } = options;
  if (origins === "*" && credentials) {
    throw new GatewayError("GW_CORS", 500, 'origins: "*" with credentials would let every site act as the user');
  }
  const isAllowed = originTest(origins);
  const allowOrigin = (request: GatewayRequest): string | null => {
    const origin = request.headers.get("origin");
    if (origin === null || !isAllowed(origin, request)) return null;
    return origins === "*" ? "*" : origin;
  };
  const shared: [string, string][] = credentials ? [["Access-Control-Allow-Credentials", "true"]] : [];
  const exposed: [string, string][] =
    exposeHeaders.length === 0 ? [] : [["Access-Control-Expose-Headers", exposeHeaders.join(", ")]];
  return layer({
    name: "cors",
    onRequest(request) {
      if (!isPreflight(request)) return request;
      const origin = allowOrigin(request);
      return preflightAnswer(
        request,
        origin === null ? null : [["Access-Control-Allow-Origin", origin], ...shared],
        options,
      );
    },
    onResponse(answer, request) {
      if (answer.kind === "accept") return answer;
      const origin = allowOrigin(request);
      const fields = origin === null ? [] : [["Access-Control-Allow-Origin", origin] as const, ...shared, ...exposed];
      return withFields(answer, fields);
    },
  });
}

/** Whether a browser asks what it may send (Fetch §4.9), rather than the app about its methods. */
export function isPreflight({ kind, method, headers }: GatewayRequest): boolean {
  return (
    kind === "http" && method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method")
  );
}

function originTest(origins: CorsOptions["origins"]): (origin: string, request: GatewayRequest) => boolean {
  if (origins === "*") return () => true;
  if (typeof origins === "function") return origins;
  const listed = checkedOrigins(origins);
  return (origin) => listed.has(origin);
}

const VARY_OF_QUESTIONS = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

function preflightAnswer(
  { headers }: GatewayRequest,
  allowed: readonly (readonly [string, string])[] | null,
  { methods = DEFAULT_METHODS, requestHeaders, maxAgeSeconds = 600 }: CorsOptions,
): HttpResponse {
  const fields: (readonly [string, string])[] = [["Vary", VARY_OF_QUESTIONS]];
  if (allowed !== null) {
    const names = requestHeaders ?? namesIn(headers.get("access-control-request-headers"));
    fields.push(...allowed, ["Access-Control-Allow-Methods", methods.join(", ")]);
    if (names.length > 0) fields.push(["Access-Control-Allow-Headers", names.join(", ")]);
    fields.push(["Access-Control-Max-Age", String(maxAgeSeconds)]);
  }
  return { kind: "response", status: 204, headers: HeaderList.from(fields), body: null };
}

const DEFAULT_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

function namesIn(list: string | null): string[] {
  const names = (list ?? "").split(",").map((name) => name.trim());
  return names.filter((name) => isToken(name));
}

function withFields(answer: HttpResponse, fields: readonly (readonly [string, string])[]): Answer {
  const kept = withVary(answer.headers.without(...OURS), "Origin");
  const headers = HeaderList.fromWire([...kept.toFlat(), ...HeaderList.from(fields).toFlat()]);
  return { ...answer, headers };
}
