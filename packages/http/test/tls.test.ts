// TLS: certificates by name, ALPN, client certificates, certificates read again at reload.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { get } from "node:https";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { type GatewayRequest, text } from "@gw/core";
import { afterEach, expect, test } from "vitest";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { authority, client, first, named, second } from "./certificates.ts";

const servers: RunningServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

let seen: GatewayRequest | undefined;

async function listen(options: ServeOptions): Promise<RunningServer> {
  const server = serve(
    (request) => {
      seen = request;
      return text(request.protocol);
    },
    { bind: "127.0.0.1:0", idleGraceMs: 0, ...options },
  );
  servers.push(server);
  await server.ready;
  return server;
}

async function handshake(server: RunningServer, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { port } = server.addresses[0] as { port: number };
  const socket = connect({ port, host: "127.0.0.1", ca: authority, checkServerIdentity: () => undefined, ...options });
  socket.on("error", () => {}); // a reset at the end is no failure
  await once(socket, "secureConnect");
  return socket;
}

/** Common name of the certificate that a client is shown. */
async function certificateFor(server: RunningServer, servername?: string): Promise<{ name: string; serial: string }> {
  const socket = await handshake(server, servername === undefined ? {} : { servername });
  const { subject, serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return { name: String(subject.CN), serial: serialNumber };
}

async function http1(server: RunningServer, options: object = {}): Promise<string> {
  const [response] = await once(get(server.url, { ca: authority, agent: false, ...options }), "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return body;
}

async function http2(server: RunningServer): Promise<{ body: string; headers: IncomingHttpHeaders }> {
  const session = connectHttp2(server.url, { ca: authority });
  const stream = session.request({ ":path": "/" });
  const [headers] = await once(stream, "response");
  let body = "";
  for await (const chunk of stream) body += chunk;
  session.close();
  return { body, headers };
}

test("one port speaks HTTP/1.1 and HTTP/2, as ALPN says", async () => {
  const server = await listen({ tls: first });
  expect(server.url).toMatch(/^https:/);
  expect(await http1(server)).toBe("HTTP/1.1");
  expect(seen?.scheme).toBe("https");
  expect((await http2(server)).body).toBe("HTTP/2.0");
  expect((await handshake(server)).alpnProtocol).toBe(false);
});

test("http: 1 and http: 2 offer only that", async () => {
  const [one, two] = [await listen({ tls: first, http: 1 }), await listen({ tls: first, http: 2 })];
  const both = { ALPNProtocols: ["h2", "http/1.1"] };
  expect((await handshake(one, both)).alpnProtocol).toBe("http/1.1");
  expect((await handshake(two, both)).alpnProtocol).toBe("h2");
  await expect(handshake(two, { ALPNProtocols: ["http/1.1"] })).rejects.toThrow();
  await expect(http1(two)).rejects.toThrow();
});

test("the request tells version, cipher and server name", async () => {
  const server = await listen({ tls: { ...first, serverNames: { "www.example.com": named } } });
  await http1(server, { servername: "www.example.com", headers: { Host: "www.example.com" } });
  expect(seen?.tls).toMatchObject({ version: "TLSv1.3", serverName: "www.example.com" });
  expect(seen?.tls?.cipher).toMatch(/^TLS_/);
  expect(seen?.tls?.peerCertificates()).toEqual([]);
  expect(seen?.server).toEqual({ host: "www.example.com", port: 443 });
});

test("each server name gets its certificate; a wildcard stands for one label", async () => {
  const server = await listen({ tls: { ...first, serverNames: { "www.example.com": named, "*.example.org": named } } });
  expect((await certificateFor(server)).name).toBe("localhost");
  expect((await certificateFor(server, "localhost")).name).toBe("localhost");
  expect((await certificateFor(server, "WWW.example.com")).name).toBe("www.example.com");
  expect((await certificateFor(server, "a.example.org")).name).toBe("www.example.com");
  expect((await certificateFor(server, "a.b.example.org")).name).toBe("localhost");
});

test("reload reads the files again, for new connections only; a file that is broken changes nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gw-tls-"));
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await writeFile(certFile, first.cert);
  await writeFile(keyFile, first.key);
  const server = await listen({ tls: { certFile, keyFile } });
  const before = await certificateFor(server);
  const open = await handshake(server);
  await writeFile(certFile, second.cert);
  await expect(server.reload()).rejects.toMatchObject({ code: "GW_HTTP_CERTIFICATE" }); // not the key of this certificate
  expect(await certificateFor(server)).toEqual(before);
  await writeFile(keyFile, second.key);
  await server.reload();
  const after = await certificateFor(server);
  expect(after.serial).not.toBe(before.serial);
  expect((await certificateFor(server, "localhost")).serial).toBe(after.serial);
  open.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  expect(String((await once(open, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
  await rm(folder, { recursive: true });
});

test("a client certificate is told to the app; an optional one may be missing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gw-tls-"));
  const clientCaFile = join(folder, "ca.pem");
  await writeFile(clientCaFile, authority);
  const server = await listen({ tls: { ...first, clientCertificates: "optional", clientCaFile } });
  await http1(server, client);
  const [leaf] = seen?.tls?.peerCertificates() ?? [];
  expect(leaf).toMatchObject({ subject: "CN=ada,O=gw\\, tests", issuer: "CN=gw test authority" });
  expect(leaf?.fingerprint256).toMatch(/^[0-9a-f]{64}$/);
  expect(leaf?.der).toBeInstanceOf(Uint8Array);
  await http1(server);
  expect(seen?.tls?.peerCertificates()).toEqual([]);
  await rm(folder, { recursive: true });
});

test("a required client certificate keeps others out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gw-tls-"));
  const clientCaFile = join(folder, "ca.pem");
  await writeFile(clientCaFile, authority);
  const server = await listen({ tls: { ...first, clientCertificates: "required", clientCaFile } });
  expect(await http1(server, client)).toBe("HTTP/1.1");
  await expect(http1(server)).rejects.toThrow();
  await rm(folder, { recursive: true });
});

test.each([
  [
    "a certificate file that is missing",
    { certFile: "/nowhere/cert.pem", keyFile: "/nowhere/key.pem" },
    "/nowhere/cert.pem",
  ],
  ["a key that is missing", { cert: first.cert }, "key"],
  ["a key of another certificate", { cert: first.cert, key: second.key }, "its key"],
  ["text that is no certificate", { cert: "no", key: "no" }, "cannot use"],
])("%s: ready rejects, naming it", async (_, tls, named) => {
  const server = serve(() => text(""), { bind: "127.0.0.1:0", tls });
  await expect(server.ready).rejects.toMatchObject({
    code: "GW_HTTP_CERTIFICATE",
    message: expect.stringContaining(named),
  });
});

test("R-H6: a TLS handshake that does not come is cut off", async () => {
  const server = await listen({ tls: first, limits: { handshakeTimeoutMs: 100 } });
  const { port } = server.addresses[0] as { port: number };
  const socket = connectPlain(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "close");
});
