// Rows of the matrix of layers. Whether it may pass, and what is known of it: limits, hosts, proxies, logs.
import * as all from "@gw/middleware";
import { formData } from "@gw/middleware/form-data";
import { tracing } from "@gw/middleware/tracing";
import { failing, form, type LayerRow, marks } from "./row.ts";

/** Whether it may pass, and what is known of it: limits, hosts, proxies, logs. */
export function requestRows(): readonly LayerRow[] {
  return [
    {
      layer: "access-log",
      does: "changes nothing",
      layers: () => [all.accessLog({ destination: () => {} })],
      expected: { status: 200, report: "user=-;" },
    },
    {
      layer: "metrics",
      does: "changes nothing",
      layers: () => [all.metrics()],
      expected: { status: 200, report: "user=-;" },
    },
    {
      layer: "tracing",
      does: "hands trace context on",
      layers: () => [
        tracing({
          propagator: {
            fields: () => ["traceparent"],
            extract: (context) => context,
            inject: (_context, carrier, setter) =>
              setter.set(carrier, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
          },
        }),
      ],
      expected: { status: 200, report: ";trace=yes;" },
    },
    {
      layer: "error-pages",
      does: "gives an error of a layer its page",
      layers: () => [all.errorPages(), failing],
      request: { headers: [["Accept", "application/json"]] },
      expected: { status: 503, headers: { "content-type": "application/problem+json" } },
      socket: { status: 503 },
    },
    {
      layer: "show-exceptions",
      does: "shows an error of a layer",
      layers: () => [all.showExceptions(), failing],
      request: { headers: [["Accept", "text/html"]] },
      expected: { status: 503, headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" } },
    },
    {
      layer: "proxy-headers",
      does: "takes the client from a listed proxy",
      layers: () => [
        all.proxyHeaders({ proxies: ["127.0.0.1", "::1"] }),
        all.ipRestriction({ deny: ["192.0.2.0/24"] }),
      ],
      request: { headers: [["X-Forwarded-For", "192.0.2.7"]] },
      // Over a unix socket there is no address to list: the FastCGI carrier of the test sends REMOTE_ADDR=127.0.0.1.
      expected: { status: 403 },
    },
    {
      layer: "ip-restriction",
      does: "refuses a client",
      layers: () => [all.ipRestriction({ deny: ["127.0.0.1"] })],
      expected: { status: 403 },
    },
    {
      layer: "trusted-host",
      does: "refuses another host",
      layers: () => [all.trustedHost({ hosts: ["example.com"] })],
      expected: { status: 421 },
    },
    {
      layer: "https-redirect",
      does: "redirects",
      layers: () => [all.httpsRedirect({ host: "a.example" })],
      expected: { status: 308, headers: { location: /^https:\/\/a\.example\// } },
    },
    {
      layer: "request-id",
      does: "tells the id",
      layers: () => [all.requestId(), marks("touch", (request) => String(request.headers.has("x-request-id")))],
      expected: { status: 200, report: "seen=true;", headers: { "x-request-id": /^.{8,}$/ } },
    },
    {
      layer: "body-limit",
      does: "limits what is read",
      layers: () => [all.bodyLimit({ maxBytes: 4 }), formData({ load: "eager" })],
      request: { method: "POST", headers: [form], body: Buffer.from("a=12345") },
      expected: { status: 413 },
      socket: { status: 200, report: "method=GET;" },
    },
    {
      layer: "timeout",
      does: "lets through what is in time",
      layers: () => [all.timeout({ ms: 60_000 })],
      expected: { status: 200, report: "user=-;" },
    },
    {
      layer: "csrf",
      does: "refuses another site",
      layers: () => [all.csrf()],
      request: { method: "POST", headers: [["Origin", "https://evil.example"], form], body: Buffer.from("a=1") },
      expected: { status: 403 },
    },
    {
      layer: "cors",
      does: "names the origin that may read",
      layers: () => [all.cors({ origins: ["http://localhost"] })],
      request: { headers: [["Origin", "http://localhost"]] },
      expected: { status: 200, headers: { "access-control-allow-origin": "http://localhost", vary: /Origin/i } },
      socket: { status: 200 },
    },
    {
      layer: "limit-concurrency",
      does: "refuses what is one too many",
      layers: () => {
        const one = { limit: 1, maxQueued: 0, name: crypto.randomUUID() }; // two of one name share the limit
        return [all.limitConcurrency(one), all.limitConcurrency(one)];
      },
      expected: { status: 503, headers: { "retry-after": "1" } },
    },
    {
      layer: "rate-limit",
      does: "refuses beyond its limit",
      layers: () => {
        const name = crypto.randomUUID();
        const twice = { limit: 1, windowMs: 3_600_000, name }; // two of one name count together
        return [all.rateLimit(twice), all.rateLimit(twice)];
      },
      expected: { status: 429, headers: { "retry-after": /^\d+$/ } },
    },
  ];
}
