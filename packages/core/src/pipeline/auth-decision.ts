// Layers as a decision: who is this request from, and may it pass? What other servers ask us, over HTTP or FastCGI.
import { toBytes } from "../bytes/byte-string.ts";
import { isFieldValue } from "../headers/syntax.ts";
import type { App, Handler, Middleware } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { Principal } from "../model/principal.ts";
import type { Exchange, GatewayRequest } from "../model/request.ts";
import type { Answer, HttpResponse } from "../model/response.ts";
import { andThen } from "./and-then.ts";
import { compose } from "./compose.ts";
import { guard } from "./guard.ts";

/** What is answered for a user who may pass: a 2xx response. */
export type Welcome = (principal: Principal, request: GatewayRequest) => HttpResponse;

/**
 * An app that runs the layers and answers `welcome` if they let the request through with a user; else their refusal, or
 * 401 if there is no user.
 *
 * Whoever asks takes 2xx for "let in". So a layer's own 2xx answer, a login page for one, goes out as 401.
 */
export function authDecision(layers: readonly Middleware[], welcome: Welcome): App {
  const admitted = new WeakSet<Exchange>();
  const inner = compose(layers, (request) => {
    if (request.principal === null) return unknownUser;
    const answer = welcome(request.principal, request);
    admitted.add(request.exchange);
    return answer;
  });
  const ask: Handler = guard(inner.handle);
  return {
    ...inner,
    handle: (request) => andThen(ask(request), (answer) => (admitted.has(request.exchange) ? answer : refusal(answer))),
  };
}

const unknownUser: HttpResponse = { kind: "response", status: 401, headers: HeaderList.empty, body: null };

function refusal(answer: Answer): Answer {
  if (answer.kind === "accept" || answer.status < 200 || answer.status > 299) return answer;
  return { ...answer, status: 401 };
}

/**
 * Who a user is, as fields for other servers: `Remote-User`, `Remote-Groups`, `Remote-Name`, `Remote-Email`, as far as known.
 *
 * @throws GatewayError `GW_IDENTITY_VALUE` (500) for what would read as something else there (R-H18)
 */
export function identityFields({ user, groups, claims }: Principal): [name: string, value: string][] {
  const fields: [string, string][] = [["Remote-User", identityValue("user", user)]];
  for (const group of groups) {
    if (group.includes(",")) throw badIdentity("group", group);
  }
  if (groups.length > 0) fields.push(["Remote-Groups", identityValue("groups", groups.join(","))]);
  if (typeof claims.name === "string") fields.push(["Remote-Name", identityValue("name", claims.name)]);
  if (typeof claims.email === "string") fields.push(["Remote-Email", identityValue("email", claims.email)]);
  return fields;
}

/**
 * A text about a user as the value of a field, a byte string.
 *
 * @throws GatewayError `GW_IDENTITY_VALUE` (500)
 */
export function identityValue(what: string, text: string): string {
  const value = toBytes(text);
  if (!isFieldValue(value)) throw badIdentity(what, text);
  return value;
}

function badIdentity(what: string, found: string): GatewayError {
  return new GatewayError(
    "GW_IDENTITY_VALUE",
    500,
    `the ${what} ${JSON.stringify(found.slice(0, 80))} cannot be sent in a header`,
  );
}
