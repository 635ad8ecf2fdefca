// Rows of the matrix of layers. Logins that succeed and sessions that last: what more than one request is needed for.
import { hash } from "node:crypto";
import { layer, type Middleware } from "@gw/core";
import { clientCertificate } from "@gw/middleware/client-certificate";
import { csrf, csrfToken } from "@gw/middleware/csrf";
import { digestAuth, digestHashes } from "@gw/middleware/digest-auth";
import { flash, flashOf } from "@gw/middleware/flash";
import { formLogin } from "@gw/middleware/form-login";
import { remoteUser } from "@gw/middleware/remote-user";
import { requireUser } from "@gw/middleware/require-user";
import { session, sessionOf } from "@gw/middleware/session";
import { memoryStore } from "@gw/middleware/session/memory";
import { sealedStore } from "@gw/middleware/session/sealed";
import { form, inside, type LayerRow, marks, secret, sha } from "./row.ts";
import { cookiesIn, type Step } from "./steps.ts";

const stored = (): Middleware => session({ store: memoryStore() });
/** In its cookie, so that a CGI process knows what the one before it was told. */
const sealed = (): Middleware => session({ store: sealedStore({ secrets: [secret], ended: false }) });

/** A step after which later requests carry the cookies it was sent. */
const cookiesOf = (step: Omit<Step, "next">): Step => ({
  ...step,
  next: ({ headers }) => ({ headers: cookiesIn(headers) }),
});

/** Shows what the session holds; `/begin` puts something in, `/end` ends it. */
const counter: Middleware = marks("counter", (request) => {
  const held = sessionOf(request);
  if (request.path === "/begin") held.set("a", 1);
  const seen = String(held.get("a") ?? "none");
  if (request.path === "/end") held.end();
  return seen;
});
const begin: Step = cookiesOf({ target: "/begin", status: 200 });

/** `/add` leaves a message; any other page shows those that are there. */
const messages: Middleware = marks("messages", (request) => {
  const held = flashOf(request);
  if (request.path === "/add") held.add("saved");
  const texts = request.path === "/add" ? [] : held.take().map(({ text }) => text);
  return texts.join() || "none";
});
const add: Step = cookiesOf({ target: "/add", status: 200 });

/** Tells the token of the session, as a page with a form would. */
const teller: Middleware = layer({
  name: "teller",
  onResponse: (answer, request) =>
    answer.kind === "accept" ? answer : { ...answer, headers: answer.headers.with("X-Token", csrfToken(request)) },
});
const post = (body: string): NonNullable<LayerRow["request"]> => ({
  method: "POST",
  headers: [form],
  body: Buffer.from(body),
});

/** As a carrier hands on a certificate of ann's that it has verified; the test of `serve` over TLS shows that it does. */
const verified: Middleware = inside("verified", (request) => ({
  ...request,
  tls: {
    version: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
    serverName: null,
    peerCertificates: () => [{ subject: "", issuer: "", serial: "", fingerprint256: "", der: ANN }],
  },
}));

/** What a client answers to a challenge (RFC 7616 §3.4.1), computed by hand: not with what checks it. */
function digestAnswer(challenge: string, uri: string): string {
  const sha256 = (text: string): string => hash("sha256", text, "hex");
  const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? "";
  const proof = `${sha256("ann:Restricted:x")}:${nonce}:00000001:c:auth:${sha256(`GET:${uri}`)}`;
  const fields = `username="ann", realm="Restricted", nonce="${nonce}", uri="${uri}", response="${sha256(proof)}"`;
  return `Digest ${fields}, algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c"`;
}

const digest = (): readonly Middleware[] => [
  digestAuth({ users: { ann: { hashes: digestHashes("ann", "Restricted", "x") } }, nonceKey: secret }),
];
const challenged = (target: string): Step => ({
  status: 401,
  next: ({ headers }, place) => ({
    headers: [["Authorization", digestAnswer(headers.get("www-authenticate") ?? "", place + target)]],
  }),
});

/** Logins that succeed and sessions that last: what more than one request is needed for. */
export function loginRows(): readonly LayerRow[] {
  return [...sessionRows, ...userRows, ...tokenRows];
}

const sessionRows: readonly LayerRow[] = [
  {
    layer: "session",
    does: "gives back what an earlier request saved",
    layers: () => [stored(), counter],
    before: [begin],
    expected: { status: 200, report: "seen=1;", headers: { "set-cookie": null } },
  },
  {
    layer: "session",
    does: "holds nothing for another browser",
    layers: () => [stored(), counter],
    before: [{ target: "/begin", status: 200 }],
    expected: { status: 200, report: "seen=none;" },
  },
  {
    layer: "session",
    does: "that was ended stays so, whoever kept its cookie",
    layers: () => [stored(), counter],
    before: [begin, { target: "/end", status: 200 }],
    expected: { status: 200, report: "seen=none;" },
  },
  {
    layer: "flash",
    does: "gives a message to the next page",
    layers: () => [stored(), flash(), messages],
    before: [add],
    isOnce: true,
    expected: { status: 200, report: "seen=saved;" },
  },
  {
    layer: "flash",
    does: "gives it once",
    layers: () => [stored(), flash(), messages],
    before: [add, { status: 200 }],
    expected: { status: 200, report: "seen=none;" },
  },
];

const userRows: readonly LayerRow[] = [
  {
    layer: "digest-auth",
    does: "lets in who answers its challenge",
    layers: digest,
    before: [challenged("/")],
    isOnce: true,
    expected: { status: 200, report: "user=ann;type=Digest;" },
  },
  {
    layer: "digest-auth",
    does: "takes an answer once",
    layers: digest,
    before: [challenged("/"), { status: 200 }],
    expected: { status: 401, headers: { "www-authenticate": /, stale=true/ } },
  },
  {
    layer: "form-login",
    does: "lets in who logged in at its page",
    layers: () => [sealed(), formLogin({ users: sha }), requireUser()],
    before: [cookiesOf({ target: "/login", request: post("user=ann&password=myPassword"), status: 303 })],
    expected: { status: 200, report: "user=ann;type=form;" },
  },
  {
    layer: "form-login",
    does: "lets nobody in with a wrong password",
    layers: () => [stored(), formLogin({ users: sha, throttle: false }), requireUser()],
    before: [cookiesOf({ target: "/login", request: post("user=ann&password=x"), status: 401 })],
    expected: { status: 401, headers: { "www-authenticate": /^Cookie realm="login"/ } },
  },
  {
    layer: "remote-user",
    does: "takes the user from a listed front server",
    layers: () => [remoteUser({ header: "X-Proxy-User", peers: ["127.0.0.1"] }), requireUser()],
    request: { headers: [["X-Proxy-User", "ann"]] },
    expected: { status: 200, report: "user=ann;type=remote;" },
  },
  {
    layer: "client-certificate",
    does: "lets in whom a verified certificate names",
    layers: () => [verified, clientCertificate()],
    expected: { status: 200, report: "user=ann;type=certificate;" },
  },
];

/** A socket's opening has no form: where it comes from is all that counts. */
const opens = { status: 200, report: "method=GET;" };
const tokenRows: readonly LayerRow[] = [
  {
    layer: "csrf",
    does: "lets this site's own form through",
    layers: () => [csrf()],
    request: { ...post("a=1"), headers: [["Origin", "http://localhost"], form] },
    expected: { status: 200, report: "method=POST;seen=-;trace=;body=a=1" },
    socket: opens,
  },
  {
    layer: "csrf",
    does: "passes a form with the session's token",
    layers: () => [sealed(), teller, csrf({ token: "always" })],
    before: [
      {
        status: 200,
        next: ({ headers }) => ({
          headers: cookiesIn(headers),
          body: Buffer.from(`a=1&_csrf=${headers.get("x-token")}`),
        }),
      },
    ],
    request: { ...post(""), headers: [form] },
    expected: { status: 200, report: "method=POST;seen=-;trace=;body=a=1&_csrf=" },
    socket: opens,
  },
  {
    layer: "csrf",
    does: "refuses a form with the token of another session",
    layers: () => [sealed(), teller, csrf({ token: "always" })],
    before: [
      { status: 200, next: ({ headers }) => ({ headers: [["X-CSRF-Token", headers.get("x-token") ?? ""]] }) },
      cookiesOf({ status: 200 }), // without a cookie: a session of its own begins
    ],
    request: post("a=1"),
    expected: { status: 403 },
    socket: opens,
  },
];

/** A certificate for CN=ann. */
const ANN: Uint8Array = Buffer.from(
  `MIIBlzCCAT2gAwIBAgIUF9VIz5zGLNgwuNFhpw4I1eHfh1AwCgYIKoZIzj0EAwIwIDEQMA4GA1UECgwHRXhhbXBsZTEMMAoGA1UE
AwwDYW5uMCAXDTI2MTEyMjE4MzMxNloYDzIxMjYxMDI5MTgzMzE2WjAgMRAwDgYDVQQKDAdFeGFtcGxlMQwwCgYDVQQDDANhbm4w
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAToTnxFULTTN11eq6TQGt/q7u9k+PIoDbpjQc4EYGRF16WdYVMwdJe2QGM+bc3+ty3P
s7KE/0cRfo6kRqA04Shro1MwUTAdBgNVHQ4EFgQUGXOxjwE/7hymlfAN3JBaVTLqD4EwHwYDVR0jBBgwFoAUGXOxjwE/7hymlfAN
3JBaVTLqD4EwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA/kXSOzjt9yWpJVYEsEGg1o7eEyUQQOAbvi2t9VEN
aMkCIExJqD2wbI5cTAnJ0KNHE0pRyC8ybJOdxxX0ioLcFod8`,
  "base64",
);
