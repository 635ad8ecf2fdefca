// One server of the session benchmark, in a process of its own: prints its port. `/login` begins a session, `/hello` reads it.
//
// The rivals come from the folder RIVALS: npm install --prefix $RIVALS fastify @fastify/cookie @fastify/session
// @fastify/secure-session express express-session hono @hono/node-server hono-sessions
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compose, type GatewayRequest, type Handler, text as textAnswer } from "@gw/core";
import { serve } from "@gw/http";
import { cookies } from "@gw/middleware/cookies";
import { formLogin } from "@gw/middleware/form-login";
import { requireUser } from "@gw/middleware/require-user";
import { session, sessionOf } from "@gw/middleware/session";
import { memoryStore } from "@gw/middleware/session/memory";
import { sealedStore } from "@gw/middleware/session/sealed";

const secret = "a secret of the benchmark, at least thirty-two characters";
const hello = "Hello, World!\n";
const answer = textAnswer(hello);
const port0 = { port: 0, host: "127.0.0.1" };

// biome-ignore lint/suspicious/noExplicitAny: the rivals are not installed where types are checked
type Foreign = any;

async function rival(name: string): Promise<Foreign> {
  const folder = process.env.RIVALS;
  if (folder === undefined) throw new Error("RIVALS is the folder where the rivals are installed");
  const path = createRequire(join(folder, "package.json")).resolve(name);
  const found: Foreign = await import(pathToFileURL(path).href);
  return found.default ?? found;
}

/** Reads the session, as an app would that greets by name. */
const read: Handler = (request) => {
  if (request.path === "/login") return logIn(request);
  return sessionOf<{ name: string }>(request).get("name") === undefined ? textAnswer("who?") : answer;
};

function logIn(request: GatewayRequest) {
  const mine = sessionOf<{ name: string }>(request);
  mine.logIn({ user: "ann", type: "form", groups: [], claims: {} });
  mine.set("name", "ann");
  return answer;
}

/** Lets the login of the benchmark through to the app. */
const guarded = () => {
  const store = session({ store: memoryStore() });
  const inside = compose([cookies(), formLogin({ verify: () => false, path: "/form" }), requireUser()], () => answer);
  return compose([store], (request) => (request.path === "/login" ? logIn(request) : inside.handle(request)));
};

const servers: Record<string, () => Promise<number>> = {
  "gw, plain": () => ours(() => answer),
  "gw, session not touched": () =>
    ours(
      compose([session({ store: memoryStore() })], (request) => (request.path === "/login" ? read(request) : answer)),
    ),
  "gw, session read": () => ours(compose([session({ store: memoryStore() })], read)),
  "gw, session + cookies + formLogin + requireUser": () => ours(guarded()),
  "gw, sealed session read": () =>
    ours(compose([session({ store: sealedStore({ secrets: [secret], ended: memoryStore() }) })], read)),
  "fastify, plain": () => fastifyWith(async () => {}),
  "fastify, @fastify/session": () =>
    fastifyWith(async (app) => {
      await app.register(await rival("@fastify/cookie"));
      await app.register(await rival("@fastify/session"), { secret, cookie: { secure: false } });
    }),
  "fastify, @fastify/secure-session": () =>
    fastifyWith(async (app) => {
      await app.register(await rival("@fastify/secure-session"), { key: Buffer.alloc(32, 7), cookie: { path: "/" } });
    }),
  "express, plain": () => expressWith(() => []),
  "express, express-session": async () => {
    const expressSession = await rival("express-session");
    return expressWith(() => [expressSession({ secret, resave: false, saveUninitialized: false })]);
  },
  "hono, plain": () => honoWith([]),
  "hono, hono-sessions": async () => {
    const { sessionMiddleware, MemoryStore } = await rival("hono-sessions");
    return honoWith([
      sessionMiddleware({ store: new MemoryStore(), encryptionKey: secret, cookieOptions: { path: "/" } }),
    ]);
  },
};

async function fastifyWith(add: (app: Foreign) => Promise<void>): Promise<number> {
  const app = (await rival("fastify"))();
  await add(app);
  app.get("/login", (request: Foreign, reply: Foreign) => {
    if (request.session?.set === undefined) return reply.send("no session");
    request.session.set("name", "ann");
    return reply.send(hello);
  });
  app.get("/hello", (request: Foreign, reply: Foreign) => {
    const isKnown = request.session === undefined || request.session.get("name") !== undefined;
    return reply.type("text/plain").send(isKnown ? hello : "who?");
  });
  return Number(new URL(await app.listen(port0)).port);
}

async function expressWith(add: () => Foreign[]): Promise<number> {
  const app = (await rival("express"))();
  for (const middleware of add()) app.use(middleware);
  app.get("/login", (request: Foreign, response: Foreign) => {
    if (request.session !== undefined) request.session.name = "ann";
    response.send(hello);
  });
  app.get("/hello", (request: Foreign, response: Foreign) => {
    const isKnown = request.session === undefined || request.session.name !== undefined;
    response.type("text/plain").send(isKnown ? hello : "who?");
  });
  return new Promise((resolve) => {
    const server = app.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

async function honoWith(add: Foreign[]): Promise<number> {
  const [{ Hono }, { serve: serveHono }] = await Promise.all([rival("hono"), rival("@hono/node-server")]);
  const app = new Hono();
  for (const middleware of add) app.use("*", middleware);
  app.get("/login", (context: Foreign) => {
    context.get("session")?.set("name", "ann");
    return context.text(hello);
  });
  app.get("/hello", (context: Foreign) => {
    const found = context.get("session");
    return context.text(found === undefined || found.get("name") !== undefined ? hello : "who?");
  });
  return new Promise((resolve) =>
    serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }: { port: number }) => resolve(port)),
  );
}

async function ours(app: Handler | ReturnType<typeof compose>): Promise<number> {
  const server = serve(app, { bind: "127.0.0.1:0" });
  await server.ready;
  return Number(new URL(server.url).port);
}

const name = process.argv[2] ?? "";
const start = servers[name];
if (start === undefined) throw new Error(`no server ${JSON.stringify(name)}: ${Object.keys(servers).join("; ")}`);
console.log(await start());
