// Extensions of ASGI in Python apps: files, trailers, early hints, TLS.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningApp, run } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, expect } from "vitest";
import { pythonAsgi } from "../src/python.ts";

const withPython = requires("python3");
const running: RunningApp[] = [];
const cwd = `${import.meta.dirname}/python`;
const folder = mkdtempSync(join(tmpdir(), "gw-asgi-files-"));
const content = Array.from({ length: 100_000 }, (_, at) => String(at).padStart(7, "0")).join("\n");
const large = join(folder, "large.txt");
const small = join(folder, "small.txt");
writeFileSync(large, content);
writeFileSync(small, "0000000\nshort file");

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function serve(name: string): Promise<RunningApp> {
  const app = await run(pythonAsgi(`asgi_apps:${name}`, { cwd, workers: 1 }));
  running.push(app);
  return app;
}

withPython("http.response.pathsend sends a whole file, whatever its size, and leaves no descriptor open", async () => {
  const app = await serve("files");
  const before = (await app.request("/open")).text();
  for (const [path, expected] of [
    [large, content],
    [small, "0000000\nshort file"],
  ] as const) {
    const answer = await app.request(`/path?${path}`);
    expect([answer.status, answer.headers.get("x-a"), answer.outcome.result]).toEqual([200, "b", "sent"]);
    expect(answer.text() === expected).toBe(true);
    expect((await app.request(`/path?${path}`, { method: "HEAD" })).bytes.length).toBe(0);
  }
  expect((await app.request("/open")).text()).toBe(before);
});

withPython("http.response.pathsend of what is no regular file, or not absolute, is a 500", async () => {
  const app = await serve("files");
  for (const path of [join(folder, "missing"), folder, "asgi_apps.py", "/dev/zero"]) {
    expect((await app.request(`/path?${path}`)).status).toBe(500);
  }
});

withPython("http.response.pathsend stops with its client", async () => {
  const app = await serve("files");
  const before = (await app.request("/open")).text();
  const gone = new AbortController();
  const answer = await app.request(`/path?${large}`, { signal: gone.signal, onChunk: () => gone.abort() });
  expect(answer.outcome.result).toBe("gone");
  await expect.poll(async () => (await app.request("/open")).text()).toBe(before);
});

withPython(
  "http.response.zerocopysend sends parts of an open file between body events, and leaves it open",
  async () => {
    const app = await serve("files");
    const expected = `<${content.slice(10, 300_010)}>`;
    expect((await app.request(`/part?${large}`)).text() === expected).toBe(true);
    expect((await app.request(`/rest?${large}`)).text()).toBe("99999");
  },
);

withPython("a file that is shorter than announced cuts the answer", async () => {
  const app = await serve("files");
  const answer = await app.request(`/part?${small}`);
  expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "<ort file", "cut"]);
});

withPython("trailers may come in several events, and go to clients that accept them only", async () => {
  const app = await serve("trailers_in_two");
  const wanted = await app.request("/", { headers: { TE: "trailers" } });
  expect([wanted.text(), wanted.trailers?.get("x-a"), wanted.trailers?.get("x-b")]).toEqual(["body", "1", "2"]);
  const unwanted = await app.request("/");
  expect([unwanted.text(), unwanted.trailers]).toEqual(["body", null]);
});

withPython("the scope names the TLS connection, its client's certificate included", async () => {
  const app = await serve("show");
  const certificate = {
    subject: "CN=ann",
    issuer: "CN=root",
    serial: "01",
    fingerprint256: "",
    der: new Uint8Array(3),
  };
  const tls = {
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    serverName: "h",
    peerCertificates: () => [certificate],
  };
  const scope = (await app.request("/", { scheme: "https", tls })).text();
  const pem = "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n";
  expect(scope).toContain(
    `'tls': {'server_cert': None, 'client_cert_chain': ['${pem}'], 'client_cert_name': 'CN=ann', 'client_cert_error': None, 'tls_version': 772, 'cipher_suite': 4865}`,
  );
  expect((await app.request("/")).text()).not.toContain("'tls'");
});

withPython(
  "what is offered: files and trailers always, early hints where the carrier can, debug and push never",
  async () => {
    const app = await serve("show");
    const offered = /extensions=\{(.*)\}/.exec((await app.request("/")).text())?.[1];
    for (const name of ["trailers", "pathsend", "zerocopysend", "early_hint"])
      expect(offered).toContain(`'http.response.${name}': {}`);
    for (const name of ["debug", "push"]) expect(offered).not.toContain(`http.response.${name}`);
  },
);
