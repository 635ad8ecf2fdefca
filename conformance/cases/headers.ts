// Header fields in both directions, and the names no client may set.
import assert from "node:assert/strict";
import { compose, type Handler, HeaderList, json, layer, text, withPrincipal } from "@gw/core";
import { type Environ, fromWsgi, type StartResponse } from "@gw/wsgi";
import { defineCase } from "../case.ts";

/** Answers with the environ's strings as JSON. */
function showEnviron(environ: Environ, startResponse: StartResponse): Iterable<Uint8Array> {
  startResponse("200 OK", [["Content-Type", "application/json"]]);
  const strings = Object.entries(environ).filter(([, value]) => typeof value === "string");
  return [Buffer.from(JSON.stringify(Object.fromEntries(strings)))];
}

const echoHeaders: Handler = (request) =>
  json([...request.headers].map(([name, value]) => [name.toLowerCase(), value]));

export const setCookies = defineCase({
  title: "repeated Set-Cookie lines stay apart and in order",
  app: () =>
    text("", {
      headers: [
        ["Set-Cookie", "a=1; Path=/"],
        ["Set-Cookie", "b=2, c"],
        ["Set-Cookie", "a=3"],
      ],
    }),
  async check({ fetch }) {
    assert.deepEqual((await fetch("/")).headers.getAll("set-cookie"), ["a=1; Path=/", "b=2, c", "a=3"]);
  },
});

export const responseBytes = defineCase({
  title: "a header value of the app arrives byte for byte",
  app: () => text("", { headers: { "X-Bytes": "caf\u00e9 \u00ec\u0095\u0088" } }),
  async check({ fetch }) {
    assert.equal((await fetch("/")).headers.get("x-bytes"), "caf\u00e9 \u00ec\u0095\u0088");
  },
});

export const requestBytes = defineCase({
  title: "a header value of the client arrives byte for byte",
  app: (request) => json(Array.from(request.headers.get("x-bytes") ?? "", (char) => char.charCodeAt(0))),
  async check({ fetch }) {
    const answer = await fetch("/", { headers: [["X-Bytes", "\u00e9\u00ff"]] });
    assert.deepEqual(JSON.parse(answer.text()), [0xe9, 0xff]);
  },
});

export const repeatedHeader = defineCase({
  title: "a repeated header is read as one value, joined with a comma",
  app: (request) => text(request.headers.get("x-list") ?? ""),
  async check({ fetch }) {
    assert.equal(
      (
        await fetch("/", {
          headers: [
            ["X-List", "a"],
            ["X-List", "b"],
          ],
        })
      ).text(),
      "a, b",
    );
  },
});

export const repeatedCookie = defineCase({
  title: "R-C1: repeated Cookie lines are joined with a semicolon",
  app: fromWsgi(showEnviron),
  async check({ fetch }) {
    const answer = await fetch("/", {
      headers: [
        ["Cookie", "a=1"],
        ["Cookie", "b=2"],
      ],
    });
    assert.equal(JSON.parse(answer.text()).HTTP_COOKIE, "a=1; b=2");
  },
});

export const proxyHeader = defineCase({
  title: "R-C2: a Proxy header never becomes HTTP_PROXY, under any spelling",
  app: fromWsgi(showEnviron),
  async check({ fetch }) {
    for (const name of ["Proxy", "PROXY", "pRoXy"]) {
      const environ = JSON.parse((await fetch("/", { headers: [[name, "http://evil"]] })).text()) as object;
      assert.ok(!("HTTP_PROXY" in environ), name);
      assert.ok(!JSON.stringify(environ).includes("evil"), name);
    }
  },
});

export const oddNames = defineCase({
  title: "R-C3: a header whose name could shadow another as a variable is dropped",
  app: fromWsgi(showEnviron),
  async check({ fetch }) {
    const answer = await fetch("/", {
      headers: [
        ["X-Real", "good"],
        ["X_Real", "evil"],
      ],
    });
    const environ = JSON.parse(answer.text()) as Record<string, string>;
    assert.equal(environ.HTTP_X_REAL?.includes("good"), true);
    assert.ok(!environ.HTTP_X_REAL?.includes("evil"));
  },
});

const IDENTITY_SPELLINGS = [
  "Remote-User",
  "REMOTE-USER",
  "Remote_User",
  "X-Remote-User",
  "X-Forwarded-User",
  "Remote-Groups",
  "Auth-Type",
];

export const forgedIdentity = defineCase({
  title: "R-H18: no client header sets the user, by any spelling",
  app: (request) => json({ headers: [...request.headers], principal: request.principal }),
  async check({ fetch }) {
    for (const name of IDENTITY_SPELLINGS) {
      const answer = await fetch("/", { headers: [[name, "mallory"]] });
      assert.ok(!answer.text().includes("mallory"), name);
      assert.equal(JSON.parse(answer.text()).principal, null);
    }
  },
});

const asAlice = layer({
  name: "asAlice",
  onRequest: (request) => withPrincipal(request, { user: "alice", type: "Test", groups: [], claims: {} }),
});

export const remoteUser = defineCase({
  title: "R-C6: the layer's user is REMOTE_USER, whatever the client claims",
  app: compose([asAlice], fromWsgi(showEnviron)),
  async check({ fetch }) {
    for (const headers of [[], [["Remote-User", "mallory"]], [["REMOTE_USER", "mallory"]]] as [string, string][][]) {
      const environ = JSON.parse((await fetch("/", { headers })).text()) as Record<string, string>;
      assert.equal(environ.REMOTE_USER, "alice");
      assert.equal(environ.AUTH_TYPE, "Test");
      assert.ok(!JSON.stringify(environ).includes("mallory"));
    }
  },
});

export const contentVariables = defineCase({
  title: "R-C1: CONTENT_TYPE and CONTENT_LENGTH come as such, never as HTTP_CONTENT_*",
  app: fromWsgi(showEnviron),
  async check({ fetch }) {
    const answer = await fetch("/", {
      method: "POST",
      headers: [["Content-Type", "text/x"]],
      body: Buffer.from("four"),
    });
    const environ = JSON.parse(answer.text()) as Record<string, string>;
    assert.equal(environ.CONTENT_TYPE, "text/x");
    assert.equal(environ.CONTENT_LENGTH, "4");
    assert.ok(!("HTTP_CONTENT_TYPE" in environ) && !("HTTP_CONTENT_LENGTH" in environ));
  },
});

export const injectedHeader = defineCase({
  title: "R-H5: a header value with a line break is a 500, and nothing of it goes out",
  breaksRules: true,
  app: () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.fromWire(["X-Ok", "1", "X-Bad", "a\r\nX-Injected: yes"]),
    body: Buffer.from("body"),
  }),
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.equal(answer.status, 500);
    assert.ok(!answer.headers.has("x-injected") && !answer.headers.has("x-ok"));
    assert.notEqual(answer.text(), "body");
  },
});

export const hopByHop = defineCase({
  title: "R-W4: a hop-by-hop header of an app is a 500",
  breaksRules: true,
  app: () => text("body", { headers: { "Transfer-Encoding": "chunked" } }),
  async check({ fetch }) {
    assert.equal((await fetch("/")).status, 500);
  },
});

export const manyHeaders = defineCase({
  title: "fifty headers arrive in their order",
  app: echoHeaders,
  async check({ fetch }) {
    const sent = Array.from({ length: 50 }, (_, at): [string, string] => [`X-Header-${at}`, `value ${at}`]);
    const got = JSON.parse((await fetch("/", { headers: sent })).text()) as [string, string][];
    const ours = got.filter(([name]) => name.startsWith("x-header-"));
    assert.equal(ours.length, 50);
    assert.deepEqual(new Map(ours), new Map(sent.map(([name, value]) => [name.toLowerCase(), value])));
  },
});
