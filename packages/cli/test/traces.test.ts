// Traces of a gateway in front of programs of every kind, as a collector gets them: OpenTelemetry's own SDK and exporter.
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync } from "node:fs";
import { createServer, type Server as HttpServer, request as httpRequest } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { type Folder, folderWith, serving } from "./gw.ts";

const phpFpm =
  (() => {
    try {
      return readdirSync("/usr/sbin").find((name) => /^php-fpm[0-9.]*$/.test(name));
    } catch {
      return undefined;
    }
  })() ?? "php-fpm";

function perlHasFcgi(): boolean {
  try {
    execFileSync("perl", ["-MFCGI", "-e1"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Each is done when there is a file named `go`, and answers with the trace context that it was given. */
const programs = {
  "app.mjs": `import { text } from "@gw/core";\nexport default (_request) => text("here\\n");\n`,
  "wait.cgi": `#!/bin/sh
while ! [ -e go ]; do sleep 0.02; done
printf 'Content-Type: text/plain\\r\\n\\r\\n%s' "$TRACEPARENT"
`,
  "wait.pl": `use FCGI;
my $request = FCGI::Request();
while ($request->Accept() >= 0) {
  select(undef, undef, undef, 0.02) until -e "go";
  print "Content-Type: text/plain\\r\\n\\r\\n$ENV{TRACEPARENT}";
}
`,
  "www/index.php": `<?php
while (!file_exists(__DIR__ . "/../go")) { usleep(20000); clearstatcache(); }
header("Content-Type: text/plain");
echo $_SERVER["TRACEPARENT"];
`,
  "wait.py": `import os, time
def app(environ, start_response):
    while not os.path.exists("go"): time.sleep(0.02)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["TRACEPARENT"].encode()]
`,
};

/** A span in the JSON of OTLP, as far as it is looked at. */
interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string; intValue?: number } }[];
  readonly events: readonly { name: string }[];
}

interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

async function listening(server: HttpServer): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** Takes what an exporter sends. */
async function collector(): Promise<{ readonly endpoint: string; readonly spans: Span[] }> {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      if (request.url !== "/v1/traces") return void response.writeHead(404).end();
      const { resourceSpans } = JSON.parse(body) as Export;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    });
  });
  return { endpoint: `http://127.0.0.1:${await listening(server)}`, spans };
}

/** An upstream that answers when it is let. */
async function upstream(): Promise<{ readonly port: number; readonly go: () => void }> {
  let go: () => void = () => {};
  const isOpen = new Promise<void>((done) => (go = done));
  const server = createServer(async (request, response) => {
    await isOpen;
    response.end(request.headers.traceparent);
  });
  return { port: await listening(server), go };
}

function askAdmin(folder: Folder, path: string): Promise<string> {
  return new Promise((done, fail) => {
    const options = { socketPath: join(folder.path, "admin.sock"), path, headers: { host: "localhost" } };
    const request = httpRequest(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => done(text));
    });
    request.on("error", fail).end();
  });
}

const linesOf = (text: string, name: string): readonly string[] =>
  text.split("\n").filter((line) => line.startsWith(`${name}{`));

const statesIn = (status: string): ReadonlySet<string> =>
  new Set((JSON.parse(status) as { mounts: { state: string }[] }).mounts.map(({ state }) => state));

const PATIENCE = { timeout: 12_000, interval: 50 };
const MOUNTS = ["/cgi", "/fcgi", "/php", "/py", "/up"] as const;
const attribute = (span: Span, key: string): string | number | undefined => {
  const value = span.attributes.find((one) => one.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};

requires(
  phpFpm,
  "python3",
  perlHasFcgi() ? "perl" : "libfcgi-perl",
)(
  "a trace goes from the front through queue, start and first byte to the end, for CGI, FastCGI, PHP, Python and proxies",
  async () => {
    const folder = folderWith(programs);
    chmodSync(folder.path, 0o755); // started by root, PHP runs as somebody else
    const { endpoint, spans } = await collector();
    const { port, go } = await upstream();
    const targets = {
      "/cgi": "cgi:./wait.cgi?maxProcesses=1",
      "/fcgi": "fastcgi:perl?args=wait.pl&max=1",
      "/php": `php:./www?maxConnections=1&command=${phpFpm}`,
      "/py": "wsgi:wait:app?workers=1&threads=1",
      "/up": `http://127.0.0.1:${port}?maxConnections=1`,
    };
    const mounts = MOUNTS.flatMap((where) => ["--mount", `${where}=${targets[where]}`]);
    const environment = {
      NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "otel.mjs"))}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    };
    const words = ["serve", "app.mjs", "-p", "0", "--use", "tracing", "--admin", "unix:admin.sock", "--no-access-log"];
    const server = await serving(folder, [...words, ...mounts], { environment });
    const ask = async (where: string): Promise<string> => (await fetch(`${server.urls[0]}${where}/index.php`)).text();
    await expect.poll(async () => statesIn(await askAdmin(folder, "/status")), PATIENCE).toEqual(new Set(["ready"]));
    const answers = Promise.all(
      MOUNTS.map((where) => Promise.all(Array.from({ length: placesAt(where) + 1 }, () => ask(where)))),
    );
    answers.catch(() => {}); // of a test that has failed before
    for (const where of MOUNTS)
      await expect
        .poll(async () => linesOf(await askAdmin(folder, "/metrics"), "gw_http_requests_waiting"), PATIENCE)
        .toContain(`gw_http_requests_waiting{app="${where}",phase="queue"} 1`);
    folder.write("go", "");
    go();
    const told = await answers;
    server.kill("SIGTERM");
    expect(await server.ended).toBe(0); // what was not sent yet is sent before the end
    for (const [at, where] of MOUNTS.entries()) {
      const own = spans.filter((one) => attribute(one, "url.path") === `${where}/index.php`);
      expect(
        own.map((one) => attribute(one, "http.response.status_code")),
        where,
      ).toEqual(Array(placesAt(where) + 1).fill(200));
      // The program, script or upstream was told exactly this span.
      expect(own.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`).sort(), where).toEqual(
        told[at]?.toSorted(),
      );
      const inner = spans.filter(({ parentSpanId }) => own.some(({ spanId }) => spanId === parentSpanId));
      const names = inner.map(({ name }) => name).sort();
      expect([...new Set(names)], where).toEqual(EXPECTED[where]);
      expect(
        names.filter((name) => name === "gw.queue"),
        where,
      ).toHaveLength(1);
      for (const one of inner) {
        const parent = own.find(({ spanId }) => spanId === one.parentSpanId) as Span;
        expect(one.traceId).toBe(parent.traceId);
        expect(BigInt(one.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(parent.startTimeUnixNano));
        expect(BigInt(one.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(parent.endTimeUnixNano));
      }
      for (const one of own)
        expect(
          one.events.map(({ name }) => name),
          where,
        ).toEqual(["gw.head", "gw.first_byte"]);
    }
  },
);

/** How many requests are taken at once; a Python worker is given eight ahead, whatever its threads. */
const placesAt = (where: (typeof MOUNTS)[number]): number => (where === "/py" ? 8 : 1);

/** A connection may be kept, or not: there are one or two. */
const EXPECTED: Readonly<Record<(typeof MOUNTS)[number], readonly string[]>> = {
  "/cgi": ["gw.queue", "gw.spawn"],
  "/fcgi": ["gw.connect", "gw.queue"],
  "/php": ["gw.connect", "gw.queue"],
  "/py": ["gw.queue"],
  "/up": ["gw.connect", "gw.queue"],
};
