// One server of the TCP benchmark, in a process of its own: prints its port.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { type AppSource, gateway, text as textAnswer } from "@gw/core";
import { type ServeOptions, serve } from "@gw/http";
import { plain, raw, sixLayers } from "./apps.ts";

const text = "Hello, World!\n";
const answer = textAnswer(text);
const text404 = textAnswer("404\n", { status: 404 });

const servers: Record<string, () => Promise<number>> = {
  "node:http": async () => {
    const server = createServer(raw).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return (server.address() as AddressInfo).port;
  },
  "node:http2": async () => {
    const server = createHttp2Server().listen(0, "127.0.0.1");
    const bytes = Buffer.from(text);
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "text/plain", "content-length": String(bytes.length) });
      stream.end(bytes);
    });
    await new Promise((resolve) => server.once("listening", resolve));
    return (server.address() as AddressInfo).port;
  },
  "gw: HTTP/2": () => ours(plain, { http: 2 }),
  "gw: plain handler": () => ours(plain),
  "gw: six sync layers": () => ours(sixLayers),
  "gw: mount, async app": () =>
    ours(
      gateway()
        .mount("/hello", async () => answer)
        .run(() => text404),
    ),
  fastify: async () => {
    const { default: fastify } = await import("fastify");
    const app = fastify();
    app.get("/hello", (_request, reply) => reply.type("text/plain").send(text));
    return Number(new URL(await app.listen({ port: 0, host: "127.0.0.1" })).port);
  },
  h3: async () => {
    const [{ H3 }, { serve: serveH3 }] = await Promise.all([import("h3"), import("h3/node")]);
    const app = new H3().get(
      "/hello",
      () => new Response(text, { headers: { "content-type": "text/plain", "content-length": String(text.length) } }),
    );
    const server = serveH3(app, { port: 0, hostname: "127.0.0.1", silent: true });
    await server.ready();
    return Number(new URL(server.url as string).port);
  },
  hono: async () => {
    const [{ Hono }, { serve: serveHono }] = await Promise.all([import("hono"), import("@hono/node-server")]);
    const app = new Hono().get("/hello", (context) => context.text(text));
    return new Promise((resolve) =>
      serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve(port)),
    );
  },
  express: async () => {
    const { default: express } = await import("express");
    const app = express().get("/hello", (_request, response) => void response.type("text/plain").send(text));
    return new Promise((resolve) => {
      const server = app.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });
  },
};

async function ours(app: AppSource, options: ServeOptions = {}): Promise<number> {
  const server = serve(app, { bind: "127.0.0.1:0", ...options });
  await server.ready;
  return Number(new URL(server.url).port);
}

const name = process.argv[2] ?? "";
const start = servers[name];
if (start === undefined)
  throw new Error(`no server ${JSON.stringify(name)}; there are ${Object.keys(servers).join(", ")}`);
console.log(await start());
