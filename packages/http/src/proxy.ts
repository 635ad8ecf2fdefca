// An HTTP upstream as an app.
import type { App } from "@gw/core";
import { ProxyClient } from "./proxy-client.ts";
import { ProxyError } from "./proxy-error.ts";
import { type ProxyOptions, resolveProxy } from "./proxy-options.ts";

/**
 * Sends every request under the mount to an HTTP/1.1 upstream; docs/proxy.md says what is changed on the way.
 *
 * WebSocket openings are answered 501: upstreams are not yet asked for them.
 *
 * @throws ProxyError `GW_PROXY_OPTION`
 */
export function proxy(options: ProxyOptions): App {
  const settings = resolveProxy(options);
  const client = new ProxyClient(settings, options);
  const name = settings.targets.map(({ text }) => text).join(", ");
  return {
    handle(request) {
      if (request.kind === "websocket") {
        throw new ProxyError("GW_PROXY_NO_UPGRADE", "WebSockets of upstreams are not served yet");
      }
      return client.answer(request);
    },
    stop: (deadline) => client.stop(deadline),
    describe: () => ({ kind: "proxy", name }),
    status: () => client.status(name),
  };
}
