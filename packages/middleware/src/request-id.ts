// One id per request, from the front server's log to the app's and back to the client.
import { layer, type Middleware, peerList, type RequestHead, type StateKey, stateKey } from "@gw/core";

/** Settings of `requestId`. */
export interface RequestIdOptions {
  /** Field of the id, inwards and in the answer. @default "X-Request-Id" */
  header?: string;
  /** Front servers whose ids are kept, as for `peerList`; others' are replaced. @default none */
  peers?: readonly string[];
  /** Whether the answer carries the id. @default true */
  answer?: boolean;
}

const key: StateKey<string> = stateKey("gw.request-id");

/** What an id may look like, so that it can stand in any log and any header. */
const ID = /^[A-Za-z0-9._:+/=@-]{1,128}$/;

/**
 * Gives each request and socket an id: the exchange's, as in the log, or the one a listed front server sent.
 *
 * The app gets it in the field (HTTP_X_REQUEST_ID for CGI and WSGI), the client in the answer.
 */
export function requestId({ header = "X-Request-Id", peers = [], answer = true }: RequestIdOptions = {}): Middleware {
  const fronts = peerList(peers);
  return layer({
    name: "requestId",
    onRequest(request) {
      const { headers, exchange, client } = request;
      const sent = fronts.includes(client) ? headers.getAll(header) : [];
      const isKept = sent.length === 1 && ID.test(sent[0] as string);
      const id = request.state.get(key) ?? (isKept ? (sent[0] as string) : exchange.id);
      if (isKept && id !== exchange.id)
        exchange.log.debug({ frontRequestId: id }, "the front server's id of this request");
      return { ...request, headers: headers.with(header, id), state: request.state.with(key, id) };
    },
    onResponse(given, request) {
      if (!answer) return given;
      return { ...given, headers: given.headers.with(header, requestIdOf(request)) };
    },
  });
}

/** The request's id: what `requestId` gave it, else the exchange's. */
export function requestIdOf(request: RequestHead): string {
  return request.state.get(key) ?? request.exchange.id;
}
