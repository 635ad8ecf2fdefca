// The client in front of real programs: libfcgi, Perl's FCGI, and our own responder; cgi-fcgi in front of that one.
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, fromFetch, type Logger, silentLogger, text, withPrincipal } from "@gw/core";
import { nodeContext } from "@gw/core/node";
import { type RunningApp, run } from "@gw/core/testing";
import { type DeclareTest, isThere, requires } from "@gw-private/requires";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { fastcgi, fastcgiPool, serveFastcgi } from "../src/index.ts";
import { compileLibfcgi, LIBFCGI_NEEDS } from "./libfcgi.ts";

const after: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of after.splice(0).reverse()) await one();
});

let compiled: ReturnType<typeof compileLibfcgi> | null = null;
afterAll(() => compiled?.remove());

const ownResponder = async (request: Parameters<App["handle"]>[0]) => {
  if (request.path === "/echo") return { ...text(""), body: request.body };
  if (request.path === "/variables") {
    const { path: PATH_INFO, query: QUERY_STRING, mount: SCRIPT_NAME } = request;
    const all = { ...Object.fromEntries(request.params), PATH_INFO, QUERY_STRING, SCRIPT_NAME };
    return {
      ...text(""),
      body: Buffer.from(
        Object.entries(all)
          .map((pair) => `${pair.join("=")}\n`)
          .join(""),
        "latin1",
      ),
    };
  }
  return text(String(process.pid));
};

async function ownBackend(): Promise<App> {
  const folder = await mkdtemp(join(tmpdir(), "gw-own-"));
  const server = serveFastcgi(ownResponder, { listen: `unix:${folder}/s` });
  await server.ready;
  after.push(
    () => rm(folder, { recursive: true }),
    () => server.close(),
  );
  return fastcgi({ address: `unix:${folder}/s`, variables: { APP_ENV: "테스트" } });
}

function perlHasFcgi(): boolean {
  try {
    execFileSync("perl", ["-MFCGI", "-e1"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const variables = { APP_ENV: "테스트" };
const backends: readonly [name: string, needs: DeclareTest, open: () => App | Promise<App>][] = [
  [
    "libfcgi (C)",
    requires(...LIBFCGI_NEEDS),
    () => {
      compiled ??= compileLibfcgi();
      return fastcgiPool({ command: compiled.program, variables });
    },
  ],
  [
    "FCGI (Perl)",
    requires(isThere("perl") && perlHasFcgi() ? "perl" : "libfcgi-perl"),
    () => fastcgiPool({ command: "perl", args: [join(import.meta.dirname, "programs/perl-fcgi.pl")], variables }),
  ],
  ["our own responder", (title, body, limit) => test(title, body, limit), ownBackend],
];

async function started(open: () => App | Promise<App>, log: Logger = silentLogger): Promise<RunningApp> {
  const app = await run(await open(), { context: nodeContext({ log }) });
  after.push(() => app.stop(AbortSignal.abort()));
  return app;
}

describe.each(backends)("%s", (name, declare, open) => {
  declare("variables arrive as bytes, the user from our layers alone", async () => {
    const inner = await open();
    const app = await started(() => ({
      ...inner,
      handle: (request) => inner.handle(withPrincipal(request, { user: "지민", type: "form", groups: [], claims: {} })),
    }));
    const answer = await app.request("/variables?q=%41&r", { headers: { "Remote-User": "evil", "X-One": "1" } });
    const lines = answer.text().split("\n");
    for (const line of ["PATH_INFO=/variables", "QUERY_STRING=q=%41&r", "APP_ENV=테스트", "AUTH_TYPE=form"]) {
      expect(lines).toContain(line);
    }
    expect(lines).toContain("REMOTE_USER=지민");
    expect(answer.text()).not.toContain("evil");
  });

  declare("a body of every byte goes up and comes down", async () => {
    const app = await started(open);
    const body = randomBytes(3_000_000);
    const answer = await app.request("/echo", { method: "POST", body });
    expect(answer.status).toBe(200);
    expect(Buffer.compare(Buffer.from(answer.bytes), body)).toBe(0);
    expect((await app.request("/echo", { method: "POST", body: "" })).bytes.length).toBe(0);
  });

  declare("thirty requests at once are all answered", async () => {
    const app = await started(open);
    const bodies = Array.from({ length: 30 }, (_, at) => `body ${at} ${"x".repeat(at * 1_000)}`);
    const answers = await Promise.all(bodies.map((body) => app.request("/echo", { method: "POST", body })));
    expect(answers.map((answer) => answer.text())).toEqual(bodies);
  });

  if (name !== "our own responder") {
    declare("R-F18: its standard error goes to the log", async () => {
      const lines: unknown[] = [];
      const log: Logger = {
        ...silentLogger,
        warn: (...words: unknown[]) => lines.push(words.at(-1)),
        child: () => log,
      };
      const app = await started(open, log);
      expect((await app.request("/error")).status).toBe(200);
      expect(lines).toContain("a word for the log");
    });
  }
});

requires("cgi-fcgi")("cgi-fcgi, of the FastCGI development kit, asks our responder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gw-own-"));
  const app = fromFetch(
    async (request) => new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`),
  );
  const server = serveFastcgi(app, { listen: `unix:${folder}/s` });
  after.push(
    () => rm(folder, { recursive: true }),
    () => server.close(),
  );
  await server.ready;
  const out = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      "cgi-fcgi",
      ["-bind", "-connect", `${folder}/s`],
      {
        timeout: 10_000,
        env: {
          REQUEST_METHOD: "POST",
          REQUEST_URI: "/x%20y?q",
          SCRIPT_NAME: "",
          PATH_INFO: "/x y",
          QUERY_STRING: "q",
          SERVER_PROTOCOL: "HTTP/1.1",
          SERVER_NAME: "localhost",
          SERVER_PORT: "80",
          CONTENT_TYPE: "text/plain",
          CONTENT_LENGTH: "5",
        },
      },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    );
    child.stdin?.end("hello");
  });
  expect(out).toMatch(/^Status: 200/);
  expect(out.split("\r\n\r\n")[1]).toBe("POST /x%20y hello");
});
