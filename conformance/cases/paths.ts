// Targets, paths and mounts: one reading of the path for every layer and every interface.
import assert from "node:assert/strict";
import { gateway, type Handler, json, rawPath, text } from "@gw/core";
import { type Environ, fromWsgi, type StartResponse } from "@gw/wsgi";
import { defineCase } from "../case.ts";

/** Answers with what the request says of its path. */
const showPath: Handler = (request) => {
  const { target, mount, path, query } = request;
  return json({ target, mount, path, query, raw: rawPath(request) });
};

interface Shown {
  target: string;
  mount: string;
  path: string;
  query: string;
  raw: string;
}

const shown = (answer: { text(): string }): Shown => JSON.parse(answer.text()) as Shown;

export const decodedPath = defineCase({
  title: "the path is decoded bytes, the target stays as received",
  app: showPath,
  async check({ fetch }) {
    const got = shown(await fetch("/a%20b/%ec%95%88?q=%20"));
    assert.equal(got.path, "/a b/\u00ec\u0095\u0088");
    assert.equal(got.target, "/a%20b/%ec%95%88?q=%20");
    assert.equal(got.query, "q=%20");
    assert.equal(got.raw, "/a%20b/%ec%95%88");
  },
});

export const notUtf8 = defineCase({
  title: "a path that is not UTF-8 keeps its bytes",
  app: (request) => json(Array.from(request.path, (char) => char.charCodeAt(0))),
  async check({ fetch }) {
    assert.deepEqual(JSON.parse((await fetch("/%e9%ff")).text()), [0x2f, 0xe9, 0xff]);
  },
});

export const encodedSlash = defineCase({
  title: "R-M16: %2F is a slash to guards, mounts and apps alike; rawPath tells it apart",
  app: gateway()
    .mount("/admin", showPath)
    .run(() => text("public")),
  async check({ fetch }) {
    const got = shown(await fetch("/admin%2Fx"));
    assert.equal(got.mount, "/admin");
    assert.equal(got.path, "/x");
    assert.equal(got.target, "/admin%2Fx");
  },
});

export const dotSegments = defineCase({
  title: "R-M16: dot segments are resolved before anything compares paths",
  app: gateway()
    .mount("/admin", showPath)
    .run((request) => text(request.path)),
  async check({ fetch }) {
    for (const target of ["/x/../admin/y", "/./admin/y", "/x/%2e%2e/admin/y", "//admin/y"]) {
      assert.equal(shown(await fetch(target)).path, "/y", target);
    }
    assert.equal((await fetch("/admin/../open")).text(), "/open");
  },
});

export const aboveRoot = defineCase({
  title: "a path that climbs above the root is a 400",
  app: showPath,
  async check({ fetch }) {
    for (const target of ["/..", "/a/../../b", "/%2e%2e/etc/passwd"])
      assert.equal((await fetch(target)).status, 400, target);
  },
});

export const nulByte = defineCase({
  title: "NUL in the path is a 400",
  app: showPath,
  async check({ fetch, carrier }) {
    if (carrier === "CGI program") return; // no environment can carry it
    assert.equal((await fetch("/a%00b")).status, 400);
  },
});

export const queryIsRaw = defineCase({
  title: "the query is what follows the first ?, not decoded, and may be empty",
  app: showPath,
  async check({ fetch }) {
    assert.equal(shown(await fetch("/?a=%2B+b&c?d")).query, "a=%2B+b&c?d");
    assert.equal(shown(await fetch("/?")).query, "");
    assert.equal(shown(await fetch("/")).query, "");
  },
});

const mounted = gateway()
  .mount("/app", showPath)
  .mount("/app/inner", showPath)
  .run(() => text("outside"));

export const mountEdges = defineCase({
  title: "a mount takes whole segments: /app and /app/x, not /application",
  app: mounted,
  async check({ fetch }) {
    for (const [target, mount, path] of [
      ["/app", "/app", ""],
      ["/app/", "/app", "/"],
      ["/app/x", "/app", "/x"],
      ["/app/inner", "/app/inner", ""],
      ["/app/inner/y", "/app/inner", "/y"],
      ["/app/innermost", "/app", "/innermost"],
    ] as const) {
      const got = shown(await fetch(target));
      assert.deepEqual([got.mount, got.path], [mount, path], target);
    }
    for (const target of ["/application", "/ap", "/"]) assert.equal((await fetch(target)).text(), "outside", target);
  },
});

function showScript(environ: Environ, startResponse: StartResponse): Iterable<Uint8Array> {
  startResponse("200 OK", [["Content-Type", "application/json"]]);
  const { SCRIPT_NAME, PATH_INFO, QUERY_STRING } = environ;
  return [Buffer.from(JSON.stringify([SCRIPT_NAME, PATH_INFO, QUERY_STRING]))];
}

export const scriptName = defineCase({
  title: "R-C1: SCRIPT_NAME + PATH_INFO is the decoded path, under nested mounts too",
  app: gateway()
    .mount("/one", gateway().mount("/two", fromWsgi(showScript)))
    .run(fromWsgi(showScript)),
  async check({ fetch }) {
    assert.deepEqual(JSON.parse((await fetch("/one/two/a%20b?x=%20")).text()), ["/one/two", "/a b", "x=%20"]);
    assert.deepEqual(JSON.parse((await fetch("/three")).text()), ["", "/three", ""]);
  },
});

export const noMatch = defineCase({
  title: "what no mount takes is a 404",
  app: gateway().mount("/app", showPath),
  async check({ fetch }) {
    assert.equal((await fetch("/other")).status, 404);
  },
});

export const textMount = defineCase({
  title: "a mount written as text takes its percent-encoded UTF-8",
  app: gateway().mount("/\uc548\ub155", showPath),
  async check({ fetch }) {
    assert.equal(shown(await fetch("/%EC%95%88%EB%85%95/x")).path, "/x");
    assert.equal((await fetch("/%EC%95%88")).status, 404);
  },
});
