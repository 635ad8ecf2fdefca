// An HTTP upstream as an app.
import type { App } from "@gw/core";
import { ProxyClient } from "./proxy-client.ts";
import { type ProxyOptions, resolveProxy } from "./proxy-options.ts";

/**
 * Sends every request and WebSocket under the mount to an HTTP/1.1 upstream; docs/proxy.md says what is changed on the way.
 *
 * @throws ProxyError `GW_PROXY_OPTION`
 */
export function proxy(options: ProxyOptions): App {
  const settings = resolveProxy(options);
  const client = new ProxyClient(settings, options);
  const name = settings.targets.map(({ text }) => text).join(", ");
  return {
    handle: (request) => client.answer(request),
    stop: (deadline) => client.stop(deadline),
    describe: () => ({ kind: "proxy", name }),
    status: () => client.status(name),
  };
}
