// Requests that another site makes a browser send: Fetch Metadata first, then the exact Origin, then a token (R-M10).
import { type Answer, andThen, type GatewayRequest, layer, type MaybePromise, type Middleware } from "@gw/core";
import { isTokenOf, newSecret, SECRET_KEY, secretOf, tokenOf } from "./csrf/token.ts";
import { bufferedForm } from "./forms/buffered-form.ts";
import { checkedOrigins } from "./origin/checked-origins.ts";
import { requestOrigin } from "./origin/own-origin.ts";
import { refusal } from "./pages/refusal.ts";
import { sessionOf } from "./session.ts";

/** Settings of `csrf`. */
export interface CsrfOptions {
  /** Further origins that may send requests here, such as `https://www.example.com`. @default this site only */
  origins?: readonly string[];
  /**
   * Who needs a token besides: nobody, clients that say neither `Sec-Fetch-Site` nor `Origin` (very old browsers, and
   * programs), or everybody. Tokens need `session()` around. @default "never"
   */
  token?: "never" | "unknown" | "always";
  /** Field of a urlencoded form that carries the token. @default "_csrf" */
  field?: string;
  /** Header that carries the token. @default "X-CSRF-Token" */
  header?: string;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]); // RFC 9110 §9.2.1

/**
 * Answers 403 to what another site made a browser send: requests with unsafe methods, whatever their content type, and
 * WebSocket openings.
 *
 * Safe methods pass: an app must change nothing on them. Programs, which send neither field, pass unless `token` says
 * otherwise. A form is read so that the app still gets all of it.
 *
 * @throws GatewayError `GW_ORIGIN` for an entry of `origins` that is no origin.
 */
export function csrf(options: CsrfOptions = {}): Middleware {
  const { origins = [], token = "never", field = "_csrf", header = "X-CSRF-Token" } = options;
  checkedOrigins(origins);
  const forbidden = refusal(403);
  return layer({
    name: "csrf",
    onRequest(request) {
      if (request.kind !== "websocket" && SAFE.has(request.method)) return request;
      const origin = requestOrigin(request, origins);
      if (origin === "cross") return forbidden;
      // A browser's opening has an Origin always, and no way to carry a token.
      const isEnough = token === "never" || request.kind === "websocket" || (token === "unknown" && origin === "same");
      return isEnough ? request : withToken(request, { field, header }, forbidden);
    },
  });
}

/**
 * A token for forms and scripts of this session, a new text each time (so that compression tells nothing of it).
 *
 * Put it into the form's hidden field `_csrf` or the header `X-CSRF-Token`. The first one changes the session.
 *
 * @throws GatewayError `GW_NO_SESSION` without `session()` around.
 */
export function csrfToken(request: GatewayRequest): string {
  const session = sessionOf(request);
  const known = secretOf(session.get(SECRET_KEY));
  if (known !== null) return tokenOf(known);
  const made = newSecret();
  // Of two first pages at one time the later keeps the secret of the earlier.
  session.update(SECRET_KEY, (before) => (secretOf(before) === null ? made.toString("base64url") : (before ?? null)));
  return tokenOf(made);
}

function withToken(
  request: GatewayRequest,
  { field, header }: Required<Pick<CsrfOptions, "field" | "header">>,
  forbidden: Answer,
): MaybePromise<GatewayRequest | Answer> {
  const session = sessionOf(request);
  return andThen(session.load(), () => {
    const secret = secretOf(session.get(SECRET_KEY));
    if (secret === null) return forbidden;
    const sent = request.headers.get(header);
    if (sent !== null) return isTokenOf(secret, sent) ? request : forbidden;
    return andThen(bufferedForm(request), (read) =>
      read !== null && isTokenOf(secret, read.form.get(field) ?? "") ? read.request : forbidden,
    );
  });
}
