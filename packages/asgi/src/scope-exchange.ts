// The exchange of a handler under an ASGI server.
import { byteStringToBytes, type HeaderList, OpenExchange, type Runtime } from "@gw/core";
import type { Send } from "./app.ts";
import type { HttpScope, WebSocketScope } from "./scopes.ts";

/** Ends when the call does; can inform if the server offers early hints. */
export class ScopeExchange extends OpenExchange {
  declare readonly inform?: (headers: HeaderList) => void;

  constructor(runtime: Runtime, scope: HttpScope | WebSocketScope, send: Send) {
    super(runtime);
    if (scope.type !== "http" || scope.extensions?.["http.response.early_hint"] === undefined) return;
    this.inform = (headers) => {
      const links = headers.getAll("link").map(byteStringToBytes);
      // A hint that cannot be sent is no failure of the answer.
      if (links.length > 0) send({ type: "http.response.early_hint", links }).catch(() => {});
    };
  }
}
