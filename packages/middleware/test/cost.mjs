// What each layer adds to a request, in microseconds: node test/cost.mjs [part of a name] (after a build). The least of several
// runs, in this process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose, createContext, OpenExchange, Runtime, text } from "@gw/core";
import { testRequest } from "@gw/core/testing";
import {
  accessLog,
  apiKey,
  basicAuth,
  compress,
  cookies,
  cookiesOf,
  cors,
  csrf,
  encryptedCookies,
  encryptedCookiesOf,
  errorPages,
  etag,
  fileStore,
  flash,
  flashOf,
  formLogin,
  hashKey,
  hasSqlite,
  ipRestriction,
  memoryStore,
  metrics,
  proxyHeaders,
  rateLimit,
  requestId,
  requireUser,
  sealedStore,
  securityHeaders,
  serverTiming,
  session,
  sessionOf,
  signedCookies,
  signedCookiesOf,
  sqliteStore,
  trustedHost,
} from "@gw/middleware";

const directory = mkdtempSync(join(tmpdir(), "gw-cost-"));
const context = createContext();
const answer = text("ok");
const plain = () => answer;
const sha = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=";
const bcrypt = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC";
const basic = { authorization: `Basic ${btoa("ann:myPassword")}` };

/** Nanoseconds of one request through an app, the least of 9 runs. */
function timeOf(app, headers, count) {
  const runtime = new Runtime(app, { context });
  const base = testRequest("/page?x=1", { headers: { "user-agent": "x", accept: "text/html", ...headers } });
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 9; run++) {
    const start = process.hrtime.bigint();
    for (let at = 0; at < count; at++) {
      const exchange = new OpenExchange(runtime);
      runtime.answer({ ...base, exchange });
      exchange.end({ status: 200, bytesSent: 2, result: "sent", error: null });
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / count);
  }
  return best;
}

const idle = timeOf(plain, {}, 200_000);

const wanted = process.argv[2] ?? "";

function show(name, app, headers = {}, count = 50_000) {
  if (!name.includes(wanted)) return;
  const added = Math.max(0, timeOf(app, headers, count) - idle) / 1_000;
  console.log(`${name.padEnd(56)} ${added.toFixed(2).padStart(8)} µs`);
}

async function loggedIn(layer) {
  const logIn = compose([layer], (request) => {
    sessionOf(request).logIn({ user: "ann", type: "form", groups: ["staff"], claims: {} });
    sessionOf(request).set("theme", "dark");
    return answer;
  });
  const { headers } = await new Runtime(logIn, { context }).answer(testRequest("/"));
  return { cookie: `theme=dark; _ga=GA1.2.3; ${headers.get("set-cookie").split(";")[0]}` };
}

console.log(`Node ${process.version}, ${process.arch}`);
const stores = [["memory", memoryStore()]];
if (hasSqlite()) stores.push(["SQLite", sqliteStore({ path: join(directory, "s.sqlite") })]);
stores.push(["files", fileStore({ directory: join(directory, "files") })]);
for (const [name, store] of stores) {
  const layer = session({ store });
  const headers = await loggedIn(layer);
  const read = (request) => {
    sessionOf(request).get("theme");
    return answer;
  };
  const write = (request) => {
    sessionOf(request).update("n", (n = 0) => n + 1);
    return answer;
  };
  show(`session, ${name}: not touched`, compose([layer], plain), headers);
  show(`session, ${name}: read`, compose([layer], read), headers);
  show(`session, ${name}: changed and saved`, compose([layer], write), headers, 5_000);
  const login = [cookies(), layer, formLogin({ users: { ann: sha } }), requireUser()];
  show(`cookies + session + formLogin + requireUser, ${name}`, compose(login, plain), headers);
}
const sent = { cookie: "a=1; b=2; c=3" };
const readOne = (request) => {
  cookiesOf(request).get("b");
  return answer;
};
const setOne = (request) => {
  cookiesOf(request).set("b", "1");
  return answer;
};
show("cookies: not touched", compose([cookies()], plain), sent);
show("cookies: one read", compose([cookies()], readOne), sent);
show("cookies: one set", compose([cookies()], setOne), sent);
const secrets = ["a secret of the benchmark, at least thirty-two characters"];
for (const [name, layer, of] of [
  ["signedCookies", signedCookies({ secrets }), signedCookiesOf],
  ["encryptedCookies", encryptedCookies({ secrets }), encryptedCookiesOf],
]) {
  const set = compose([layer], (request) => {
    of(request).set("b", "a value");
    return answer;
  });
  const read = compose([layer], (request) => {
    of(request).get("b");
    return answer;
  });
  const made = await new Runtime(set, { context }).answer(testRequest("/"));
  const cookie = made.headers.get("set-cookie").split(";")[0];
  show(`${name}: not touched`, compose([layer], plain), { cookie });
  show(`${name}: one read`, read, { cookie });
  show(`${name}: one set`, set);
}
{
  const layer = session({ store: sealedStore({ secrets, ended: memoryStore() }) });
  const headers = await loggedIn(layer);
  const read = (request) => {
    sessionOf(request).get("theme");
    return answer;
  };
  show("session, sealed: read", compose([layer], read), headers);
  const inMemory = session({ store: memoryStore() });
  const take = (request) => {
    flashOf(request).take();
    return answer;
  };
  show("session, memory + flash, no message", compose([inMemory, flash()], take), await loggedIn(inMemory));
}
show("basicAuth, {SHA}", compose([basicAuth({ users: { ann: sha } })], plain), basic);
const slow = compose([basicAuth({ users: { ann: bcrypt } })], plain);
await slow.handle(testRequest("/", { headers: basic }));
show("basicAuth, bcrypt, remembered", slow, basic);
show("accessLog, combined", compose([accessLog({ destination() {} })], plain));
show("accessLog, JSON", compose([accessLog({ destination() {}, format: "json" })], plain));
show("errorPages, no error", compose([errorPages()], plain));
const forwarded = { "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https" };
const foreign = { origin: "https://app.example" };
show("proxyHeaders", compose([proxyHeaders({ proxies: ["127.0.0.1"] })], plain), forwarded);
show("trustedHost", compose([trustedHost({ hosts: ["localhost"] })], plain));
show("ipRestriction", compose([ipRestriction({ allow: ["127.0.0.0/8"] })], plain));
show("securityHeaders", compose([securityHeaders()], plain));
show("requestId", compose([requestId()], plain));
show("csrf, a GET", compose([csrf()], plain));
show("cors, an allowed origin", compose([cors({ origins: ["https://app.example"] })], plain), foreign);
show("rateLimit", compose([rateLimit({ limit: 1e12 })], plain));
show("apiKey", compose([apiKey({ keys: { [hashKey("a-key")]: "ann" } })], plain), { "x-api-key": "a-key" });
show("etag, 2 bytes", compose([etag()], plain));
show("compress, too short", compose([compress()], plain), { "accept-encoding": "gzip, br" });
const page = text("<p>a line of a page of HTML that is sent again and again</p>\n".repeat(160));
show(
  "compress, 10 kB as br",
  compose([compress()], () => page),
  { "accept-encoding": "br" },
  2_000,
);
show(
  "compress, 10 kB as gzip",
  compose([compress()], () => page),
  { "accept-encoding": "gzip" },
  2_000,
);
show("serverTiming", compose([serverTiming()], plain));
show("metrics", compose([metrics()], plain));
rmSync(directory, { recursive: true });
process.exit(0);
