// Certificates as openssl makes them, as a carrier and as front servers hand them on.
import { accept, compose, type GatewayRequest, json } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { expect, test } from "vitest";
import { type ClientCertificateOptions, clientCertificate } from "../src/client-certificate.ts";
import { CertificateAuthority, type MadeCertificate } from "./certificate-authority.ts";
import { promisesMadeBy } from "./promises.ts";

const show = (given: GatewayRequest) =>
  given.kind === "websocket" ? accept(async () => {}) : json({ principal: given.principal });
const appOf = (options: ClientCertificateOptions = {}) => compose([clientCertificate(options)], show);
/** As a carrier hands on what it has verified. */
const tlsOf = ({ x509 }: MadeCertificate) => ({
  version: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  serverName: null,
  peerCertificates: () => [{ subject: "", issuer: "", serial: "", fingerprint256: "", der: x509.raw }],
});
const noTls = { version: "TLSv1.3", cipher: "x", serverName: null, peerCertificates: () => [] };

requires("openssl")("the names of a certificate become the user, whichever is asked for", async () => {
  const authority = new CertificateAuthority();
  const ann = authority.issue(
    "ann",
    "/O=Example/CN=Ann B.",
    "email:ann@example.com,URI:spiffe://example/ann,DNS:ann.example",
  );
  const fingerprint256 = ann.x509.fingerprint256.replaceAll(":", "").toLowerCase();
  const ask = async (options: ClientCertificateOptions) =>
    (await request(appOf(options), "/", { scheme: "https", tls: tlsOf(ann) })).json();
  expect(await ask({})).toEqual({
    principal: {
      user: "Ann B.",
      type: "certificate",
      groups: [],
      claims: {
        subject: "O=Example\nCN=Ann B.",
        issuer: "CN=authority of the test",
        serial: ann.x509.serialNumber,
        fingerprint256,
        email: "ann@example.com",
      },
    },
  });
  expect(await ask({ user: "email" })).toMatchObject({ principal: { user: "ann@example.com" } });
  expect(await ask({ user: "uri" })).toMatchObject({ principal: { user: "spiffe://example/ann" } });
  expect(await ask({ user: "fingerprint256" })).toMatchObject({ principal: { user: fingerprint256 } });
  const owner: ClientCertificateOptions["owner"] = async ({ commonName }) => ({
    user: `${commonName}!`,
    groups: ["tls"],
  });
  expect(await ask({ owner })).toMatchObject({ principal: { user: "Ann B.!", groups: ["tls"] } });
  const socket = await openSocket(appOf(), "/", { scheme: "https", tls: tlsOf(ann) });
  expect(socket.response).toBe(null);
  await socket.ended;
  const app = appOf();
  expect(promisesMadeBy(() => void app.handle(testRequest("/", { tls: tlsOf(ann) })))).toBe(0);
});

requires("openssl")(
  "a certificate whose name is missing, is there twice, or is written to be misread is nobody's",
  async () => {
    const authority = new CertificateAuthority();
    const status = async (made: MadeCertificate, options: ClientCertificateOptions = {}) =>
      (await request(appOf(options), "/", { tls: tlsOf(made) })).status;
    expect(await status(authority.issue("none", "/O=Example"))).toBe(403);
    expect(await status(authority.issue("two", "/CN=ann/CN=root"))).toBe(403);
    expect(
      await status(authority.issue("two-mails", "/CN=a", "email:a@example.com,email:root@example.com"), {
        user: "email",
      }),
    ).toBe(403);
    expect(await status(authority.issue("no-mail", "/CN=a", "DNS:example.com"), { user: "email" })).toBe(403);
    // One name that holds ", email:root@…" must not be read as two.
    const odd = authority.issueForUri("odd", "/CN=a", "http://example.com/, email:root@example.com");
    expect(await status(odd, { user: "email" })).toBe(403);
    expect(await status(odd, { user: "uri" })).toBe(403); // the runtime writes it in quotes, and that is no name
    expect(await status(authority.issue("ok", "/CN=a"), { owner: () => null })).toBe(403);
  },
);

requires("openssl")("only pinned certificates count where some are pinned", async () => {
  const authority = new CertificateAuthority();
  const [ann, bob] = [authority.issue("ann", "/CN=ann"), authority.issue("bob", "/CN=ann")];
  for (const fingerprints of [[ann.x509.fingerprint256], [ann.x509.fingerprint256.replaceAll(":", "").toLowerCase()]]) {
    const app = appOf({ fingerprints });
    expect((await request(app, "/", { tls: tlsOf(ann) })).status).toBe(200);
    expect((await request(app, "/", { tls: tlsOf(bob) })).status).toBe(403);
  }
  expect((await request(appOf({ fingerprints: [] }), "/", { tls: tlsOf(ann) })).status).toBe(403);
});

test("without a certificate a request is refused, or nobody's", async () => {
  for (const tls of [null, noTls]) {
    expect((await request(appOf(), "/", { tls })).status).toBe(403);
    expect((await request(appOf({ missing: "pass" }), "/", { tls })).json()).toEqual({ principal: null });
  }
});

test("a fingerprint that is none is refused at once", () => {
  expect(() => appOf({ fingerprints: ["ab:cd"] })).toThrow(expect.objectContaining({ code: "GW_CLIENT_CERTIFICATE" }));
});

requires("openssl")(
  "a front server's word counts where it is asked for: in the forms of mod_ssl, nginx and RFC 9440",
  async () => {
    const { pem, x509 } = new CertificateAuthority().issue("ann", "/CN=ann");
    const forms = [
      pem,
      encodeURIComponent(pem),
      pem.trimEnd().replaceAll("\n", "\n\t"),
      `:${x509.raw.toString("base64")}:`,
    ];
    for (const certificate of forms) {
      const params = { SSL_CLIENT_VERIFY: "SUCCESS", SSL_CLIENT_CERT: certificate };
      expect((await request(appOf({ from: "front" }), "/", { params })).json()).toMatchObject({
        principal: { user: "ann" },
      });
      expect((await request(appOf(), "/", { params })).status).toBe(403);
    }
    const others: Record<string, string>[] = [
      { SSL_CLIENT_CERT: pem },
      { SSL_CLIENT_VERIFY: "FAILED:self-signed", SSL_CLIENT_CERT: pem },
      { SSL_CLIENT_VERIFY: "NONE", SSL_CLIENT_CERT: pem },
      { SSL_CLIENT_VERIFY: "SUCCESS" },
      { SSL_CLIENT_VERIFY: "SUCCESS", SSL_CLIENT_CERT: "-----BEGIN%20%" },
      { SSL_CLIENT_VERIFY: "SUCCESS", SSL_CLIENT_CERT: pem.replace(/M/, "?") },
      { SSL_CLIENT_VERIFY: "SUCCESS", SSL_CLIENT_CERT: ":AAAA:" },
    ];
    for (const params of others) expect((await request(appOf({ from: "front" }), "/", { params })).status).toBe(403);
    // R-H18: what a client says in fields is no variable.
    const headers = { "SSL-Client-Verify": "SUCCESS", "SSL-Client-Cert": encodeURIComponent(pem) };
    expect((await request(appOf({ from: "front" }), "/", { headers })).status).toBe(403);
  },
);
