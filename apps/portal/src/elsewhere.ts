// An app that is a server of its own, as Tomcat or Rails are: the portal starts it beside itself and joins it to the login.
import { mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { App } from "@gw/core";
import { proxy } from "@gw/http";
import { escapeHtml, page } from "./page.ts";

/** Fields that the server is told the user and the groups in; from clients they never arrive. */
const told = { userHeader: "X-Remote-User", groupsHeader: "X-Remote-Groups" };

/** A Node server on a unix socket in a folder, where only the portal reaches it, and the way to it. */
export function elsewhere(folder: string): App {
  const path = join(folder, `elsewhere-${process.pid}.sock`);
  const upstream = proxy({ target: `unix:${path}`, ...told });
  const server = createServer(answer);
  return {
    ...upstream,
    async start() {
      mkdirSync(folder, { recursive: true });
      rmSync(path, { force: true }); // of a process of this number that was killed
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
      server.unref();
    },
    async stop(deadline) {
      await upstream.stop?.(deadline);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const field = (name: string): string => Buffer.from(String(request.headers[name] ?? ""), "latin1").toString("utf8");
  const user = field("x-remote-user");
  const rows = ["x-remote-user", "x-remote-groups", "x-forwarded-for", "x-forwarded-host", "via"].map(
    (name) => `<tr><th>${name}</th><td>${escapeHtml(field(name) || "none")}</td></tr>`,
  );
  const body = `<p class="tag">HTTP · another server</p><h1>Hello, ${escapeHtml(user)}</h1>
<p class="lead">This page comes from a server of its own, which has no login: the gateway tells it who asks.</p>
<table class="facts">${rows.join("\n")}</table>`;
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(page({ title: "Elsewhere", user, body }));
}
