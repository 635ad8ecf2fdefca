// R-M17: every layer × every kind of app × every carrier gives the same observable result, under lint.
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, compose, gateway, Runtime, toApp } from "@gw/core";
import { lint, lintLayers } from "@gw/core/lint";
import { nodeContext } from "@gw/core/node";
import { serveFastcgi } from "@gw/fastcgi";
import { serve } from "@gw/http";
import {
  type ClientRequest,
  cgiProgramCarrier,
  collect,
  fastcgiCarrier,
  http1Carrier,
  http2Carrier,
  type OpenApp,
} from "@gw/testing";
import { requires } from "@gw-private/requires";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAuthServer } from "../layers/auth-server.ts";
import { sendByCgiRules, type WholeAnswer } from "../layers/cgi-rules.ts";
import { type AppKind, appKinds, fastcgiResponder } from "../layers/kinds.ts";
import type { Expected, LayerRow } from "../layers/row.ts";
import { layerRows, notLayers } from "../layers/rows.ts";
import { openOverHttp1, openOverHttp2 } from "../layers/sockets.ts";
import { lastRequest } from "../layers/steps.ts";

const names = ["sync app", "async app", "WebSocket", "CGI mount", "FastCGI mount", "Python WSGI", "Python ASGI"];
const carriers = ["HTTP/1.1", "HTTP/2", "FastCGI", "CGI"] as const;
/** What `proxyHeaders` is to FastCGI and CGI, this option is to HTTP: its carrier removes forwarding fields itself. */
const trustedProxies = ["127.0.0.1"];
/** A socket cannot be opened through FastCGI or CGI: the app is asked for a page, and says what it needs. */
const NO_SOCKET: Expected = { status: 426 };

const rows = layerRows({ authUrl: "http://127.0.0.1:0/", folder: "/" }); // for titles only; those that run are made below
const place = (row: number, kind: number): string => `/${row}-${kind}`;

let running: readonly LayerRow[] = [];
let kinds: readonly AppKind[] = [];
let ports: { http1: number; http2: number } = { http1: 0, http2: 0 };
const opened = new Map<string, OpenApp>();
let runtime: Runtime;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "gw-layers-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "page.txt"), "page\n");
  const responder = serveFastcgi(fastcgiResponder, { listen: `unix:${join(folder, "fcgi.sock")}` });
  await responder.ready;
  closing.push(() => responder.close());
  const authServer = await startAuthServer();
  closing.push(() => authServer.close());
  running = layerRows({ authUrl: authServer.url, folder });
  kinds = appKinds({ python: "/usr/bin/python3", responder: `unix:${join(folder, "fcgi.sock")}` });
  await openSite();
}, 60_000);

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** One gateway for all rows and kinds, started once, on every carrier. */
async function openSite(): Promise<void> {
  let site = gateway();
  for (const [at, kind] of kinds.entries()) {
    const app = lint(kind.app); // one app, many mounts: it starts once
    for (const [row, { layers }] of running.entries())
      site = site.mount(place(row, at), compose(lintLayers(layers()), app));
  }
  runtime = new Runtime(site, { context: nodeContext({ level: "silent" }) });
  await runtime.start();
  closing.push(() => runtime.stop(AbortSignal.timeout(5_000)));
  const shared: App = toApp((request) => runtime.answer(request));
  for (const carrier of [http1Carrier({ trustedProxies }), http2Carrier({ trustedProxies }), fastcgiCarrier()]) {
    const open = await carrier.open({ app: shared, module: "" });
    opened.set(carrier.name, open);
    closing.push(() => open.close());
  }
  for (const [name, h2c] of [
    ["http1", false],
    ["http2", true],
  ] as const) {
    const server = serve(shared, {
      bind: "127.0.0.1:0",
      h2c,
      trustedProxies,
      webSocket: { closeTimeoutMs: 100 },
      idleGraceMs: 0,
    });
    await server.ready;
    ports = { ...ports, [name]: Number(new URL(server.url).port) };
    closing.push(() => server.close());
  }
}

async function send(carrier: string, row: number, kind: number): Promise<WholeAnswer> {
  const last = await lastRequest(running[row] as LayerRow, place(row, kind), (request) => ask(carrier, request));
  if (kinds[kind]?.isSocket === true) {
    const fields = last.headers.filter(([name]) => !/^content-/i.test(name));
    if (carrier === "HTTP/1.1") return openOverHttp1(ports.http1, last.target, fields);
    if (carrier === "HTTP/2") return openOverHttp2(ports.http2, last.target, fields);
  }
  return ask(carrier, last);
}

async function ask(carrier: string, request: ClientRequest): Promise<WholeAnswer> {
  return carrier === "CGI" ? sendByCgiRules(runtime, request) : sendTo(opened.get(carrier) as OpenApp, request);
}

async function sendTo(open: OpenApp, request: ClientRequest): Promise<WholeAnswer> {
  const answer = await collect(await open.send(request));
  return { status: answer.status, headers: answer.headers, text: answer.text() };
}

/** What a cell must show. */
function expectedOf({ expected, socket, page }: LayerRow, carrier: string, isSocket: boolean): Expected {
  if (!isSocket) return expected;
  if (carrier === "HTTP/1.1" || carrier === "HTTP/2") return socket ?? expected;
  return page ?? (expected.status === 200 ? NO_SOCKET : expected);
}

function check(cell: string, answer: WholeAnswer, { status, report, headers = {} }: Expected): void {
  expect(`${cell}: ${answer.status}`).toBe(`${cell}: ${status}`);
  if (report !== undefined) expect(answer.text, cell).toContain(report);
  else if (status >= 300) expect(answer.text, cell).not.toContain("user=");
  for (const [name, value] of Object.entries(headers)) {
    const found = answer.headers.get(name);
    if (value instanceof RegExp) expect(found ?? "(none)", `${cell}: ${name}`).toMatch(value);
    else expect(found, `${cell}: ${name}`).toBe(value);
  }
}

describe.each(carriers)("R-M17: over %s", (carrier) => {
  for (const [row, { layer, does }] of rows.entries()) {
    requires("python3")(`${layer} ${does}: in front of every kind of app`, async () => {
      const answers = await Promise.all(names.map((_, kind) => send(carrier, row, kind)));
      for (const [kind, answer] of answers.entries()) {
        const expected = expectedOf(running[row] as LayerRow, carrier, kinds[kind]?.isSocket === true);
        check(`${layer}, ${carrier}, ${names[kind]}`, answer, expected);
      }
    });
  }
});

describe("R-M17: in a real CGI process", () => {
  const gw = join(import.meta.dirname, "../../packages/cli/bin/gw.js");
  const carrier = cgiProgramCarrier({ command: [process.execPath, gw, "cgi"] });
  const programs = join(import.meta.dirname, "../layers/programs.ts");
  const Authorization = ["Authorization", `Basic ${btoa("ann:myPassword")}`] as const;
  const report = "user=ann;type=Basic;method=GET;";

  for (const [name, status] of [
    ["syncApp", 200],
    ["asyncApp", 200],
    ["socketApp", 426],
    ["cgiMount", 200],
    ["pythonWsgiApp", 200],
    ["pythonAsgiApp", 200],
  ] as const) {
    requires("python3")(`a login stands before ${name}`, async () => {
      const open = await carrier.open({ app: () => Promise.reject(), module: `${programs}:${name}` });
      const refused = await collect(await open.send({}));
      expect([refused.status, refused.headers.get("www-authenticate")?.slice(0, 5)]).toEqual([401, "Basic"]);
      const known = await collect(await open.send({ headers: [Authorization] }));
      expect(known.status).toBe(status);
      if (status === 200) expect(known.text()).toContain(report);
      await open.close();
    });
  }

  // Each request is a process of its own: what the steps share is what they carry.
  for (const [name, layer, does] of [
    ["digestLogin", "digest-auth", "lets in who answers its challenge"],
    ["formLogin", "form-login", "lets in who logged in at its page"],
    ["csrfToken", "csrf", "passes a form with the session's token"],
    ["frontServer", "remote-user", "takes the user from a listed front server"],
  ] as const) {
    test(`${layer} ${does}`, async () => {
      const row = rows.find((one) => one.layer === layer && one.does === does) as LayerRow;
      const open = await carrier.open({ app: () => Promise.reject(), module: `${programs}:${name}` });
      const last = await lastRequest(row, "", (request) => sendTo(open, request));
      check(`${layer} in a process`, await sendTo(open, last), row.expected);
      await open.close();
    });
  }
});

test("every layer of the package has a row, and every row a layer", () => {
  const manifest = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../packages/middleware/package.json"), "utf8"),
  );
  const entries = Object.keys(manifest.exports)
    .map((name) => name.slice(2))
    .filter((name) => name !== "" && name !== "package.json");
  const layers = entries.filter((name) => !notLayers.has(name)).sort();
  expect([...new Set(rows.map(({ layer }) => layer))].sort()).toEqual(layers);
  for (const name of notLayers) expect(entries).toContain(name);
});

test("LAYERS.md shows the rows that run", async () => {
  await expect(table()).toMatchFileSnapshot("../LAYERS.md");
});

function table(): string {
  const lines = rows.map((row) => {
    const opening = expectedOf(row, "HTTP/1.1", true).status;
    const cells = [row.expected.status, opening === 200 ? "opens" : opening, expectedOf(row, "CGI", true).status];
    return `| ${row.layer} | ${row.does} | ${cells.join(" | ")} |`;
  });
  return `# Layers

Written by the test run (\`test/layers.test.ts\`): what each layer of \`@gw/middleware\` does to a request, after those that have
to come before it (a challenge, a login, a page with a token). The same in front of
${names.filter((name) => name !== "WebSocket").join(", ")}, over ${carriers.join(", ")}; a WebSocket's opening meets the same layers over HTTP/1.1 and
HTTP/2, and through FastCGI and CGI, which carry no sockets, its app is asked for a page and says 426.

| layer | does | status | WebSocket over HTTP | over FastCGI, CGI |
|---|---|---|---|---|
${lines.join("\n")}
`;
}
