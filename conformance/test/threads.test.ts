// The shared cases through WSGI on the main thread, on threads, and through both adapters, under the validator.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { asgiToWsgi, fromAsgi, wsgiToAsgi } from "@gw/asgi";
import { type App, compose, layer } from "@gw/core";
import { collect, http1Carrier, http2Carrier, type OpenApp } from "@gw/testing";
import { fromWsgi, wsgiThreads } from "@gw/wsgi";
import { afterAll, beforeAll, describe, test } from "vitest";
import { asgi, CASE_FIELD, cases, wsgi } from "../threads/all-cases.ts";

const file = join(import.meta.dirname, "../threads/all-cases.ts");
/** How the command loads TypeScript in a thread, on Node 20 too. */
const loader = pathToFileURL(join(import.meta.dirname, "../../packages/cli/dist/thread-loader.js")).href;
const threads = 2;

const ways: Readonly<Record<string, { shape: "wsgi" | "asgi"; app: () => App }>> = {
  "WSGI on the main thread": { shape: "wsgi", app: () => fromWsgi(wsgi) },
  "WSGI on threads": { shape: "wsgi", app: () => wsgiThreads(`${file}:wsgi`, { loader, threads }) },
  "wsgiToAsgi on threads": { shape: "wsgi", app: () => fromAsgi(wsgiToAsgi(`${file}:wsgi`, { loader, threads })) },
  "ASGI on the main thread": { shape: "asgi", app: () => fromAsgi(asgi) },
  asgiToWsgi: { shape: "asgi", app: () => fromWsgi(asgiToWsgi(`${file}:asgi`, { loader })) },
};

/** Cases whose app answers later: `toWsgi` refuses those by name. */
const ASYNC: readonly string[] = [
  "a body with every byte value goes up and comes down unchanged",
  "R-H7: a body of exactly 10 MB arrives whole",
  "R-H7: one byte more than 10 MB is a 413",
  "a body without a length arrives whole",
  "R-H7: a body without a length that grows past 10 MB is a 413",
  "the app is told the length of a body, 0 for none",
  "a body read twice is an error of the app, not a silent empty body",
  "a sync iterable is sent in its order",
  "an async iterable is sent in its order",
  "R-W4: an app that sends fewer bytes than it announced is visibly cut",
  "R-W4: an app that sends more bytes than it announced never overruns its length",
  "R-W5: a throw after the head is visibly cut, shows no detail, and the next request is served",
  "onError sees throws and rejections and may answer",
  "dispatch runs a request through the whole gateway again",
  "R-C8: dispatch ends after ten turns",
  "a fetch-style app reads the request and answers with streams and cookies",
  "an ASGI-shaped app reads its events and answers in several",
];

/** Cases that do not fit through an ASGI scope. */
const NOT_ASGI: readonly string[] = [
  "a path that is not UTF-8 keeps its bytes", // its path is text
  "the app is told the length of a body, 0 for none", // it has no length but Content-Length
  "R-W4: a hop-by-hop header of an app is a 500", // a server leaves Transfer-Encoding out
  "dispatch runs a request through the whole gateway again", // the gateway ends at the interface
  "R-C8: dispatch ends after ten turns",
];

for (const carrier of [http1Carrier(), http2Carrier()]) {
  for (const [way, { shape, app }] of Object.entries(ways)) {
    describe(`${way}, ${carrier.name}`, () => {
      let name = "";
      let opened: OpenApp;
      const naming = layer({
        name: "naming",
        onRequest: (request) => ({ ...request, headers: request.headers.append(CASE_FIELD, name) }),
      });
      beforeAll(async () => {
        opened = await carrier.open({ app: compose([naming], app()), module: file, breaksRules: true });
      });
      afterAll(() => opened.close());
      for (const [key, found] of cases) {
        if (shape === "wsgi" && ASYNC.includes(found.title)) continue;
        if (!way.startsWith("WSGI") && NOT_ASGI.includes(found.title)) continue;
        if (found.needs.some((need) => !carrier.abilities.has(need))) continue;
        test(found.title, async () => {
          name = key;
          await found.check({
            carrier: carrier.name,
            open: (target, request) => opened.send({ ...request, target }),
            fetch: async (target, request) => collect(await opened.send({ ...request, target })),
          });
        });
      }
    });
  }
}
