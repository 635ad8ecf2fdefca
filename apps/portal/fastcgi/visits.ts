#!/usr/bin/env gw
// A FastCGI program in TypeScript. Whoever starts it with a listening socket as descriptor 0 gets a responder; here, the portal's pool.
import { GatewayError, type GatewayRequest, type HttpResponse, html } from "@gw/core";
import { escapeHtml, page } from "../src/page.ts";

let served = 0;

/** Says who is asking and which process answers. */
export default function visits(request: GatewayRequest): HttpResponse {
  if (request.path !== "/") throw new GatewayError("GW_NOT_FOUND", 404, "there is no page here");
  served++;
  // What the gateway in front says, and no client can.
  const user = Buffer.from(request.params.get("REMOTE_USER") ?? "nobody", "latin1").toString();
  const rows = [
    ["this process", process.pid],
    ["requests it has answered", served],
    ["AUTH_TYPE", request.params.get("AUTH_TYPE") ?? ""],
    ["SCRIPT_NAME", request.mount],
  ] as const;
  return html(page({ title: "FastCGI", user, body: body(user, rows) }));
}

function body(user: string, rows: readonly (readonly [string, string | number])[]): string {
  const cells = rows.map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(String(value))}</td></tr>`,
  );
  return `<p class="tag">FastCGI · TypeScript</p>
<h1>Hello, ${escapeHtml(user)}</h1>
<p class="lead">A program that stays: the gateway has started it, hands it its requests, and replaces it when it crashes, hangs or has served enough.</p>
<table>${cells.join("\n")}</table>`;
}
