// The shared cases as ASGI applications: in TypeScript through both faces, in Python through asgiref's adapter.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fromAsgi, pythonAsgi, toAsgi } from "@gw/asgi";
import { validator } from "@gw/asgi/lint";
import { createContext } from "@gw/core";
import { request } from "@gw/core/testing";
import { type Carrier, collect, http1Carrier, http2Carrier, memoryCarrier, type OpenApp } from "@gw/testing";
import { isThere, requires } from "@gw-private/requires";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case } from "../case.ts";
import { twinOf, wsgiTwins } from "../python-cases.ts";
import { frameworksPython } from "./asgi-client.ts";

const folder = join(import.meta.dirname, "../cases");
const cases = new Map<string, Case>();
for (const file of readdirSync(folder)) {
  for (const [name, found] of Object.entries((await import(join(folder, file))) as Record<string, Case>))
    cases.set(name, found);
}

const NO_BODY_FLAG = "a scope does not say whether there is a body: in HTTP/1.1 a field does, and memory writes none";
const IGNORED = "ASGI has servers ignore Transfer-Encoding";
const COMMA = "asgiref joins repeated fields with a bare comma, cookies too";
const NAMES = "asgiref makes variables of every field, Proxy and odd spellings included";
const TEXT_PATH = "ASGI's path is text";

/** Cases about what ASGI has no words for, or other words; after a slash the only carrier where that shows. */
const NOT_THROUGH_ASGI: Readonly<Record<string, string>> = {
  "withoutLength/in memory": NO_BODY_FLAG,
  "tooLargeWithoutLength/in memory": NO_BODY_FLAG,
  "lengthIsTold/HTTP/2": NO_BODY_FLAG,
  hopByHop: IGNORED,
  notUtf8: TEXT_PATH,
  trailers: "ASGI has servers send trailers only to clients that ask for them",
};

/** Cases that asgiref's adapter from WSGI does not pass, whoever serves it. */
const NOT_THROUGH_ASGIREF: Readonly<Record<string, string>> = {
  hopByHop: IGNORED,
  notUtf8: TEXT_PATH,
  responseBytes: "asgiref drops bytes above 0x7F from what an app answers",
  repeatedHeader: COMMA,
  "repeatedCookie/HTTP/1.1": COMMA,
  layerOrder: COMMA,
  proxyHeader: NAMES,
  oddNames: NAMES,
  earlyHints: "asgiref has no wsgi.early_hints",
};

const isExcluded = (list: Readonly<Record<string, string>>, name: string, carrier: Carrier): boolean =>
  list[name] !== undefined || list[`${name}/${carrier.name}`] !== undefined;

async function check(found: Case, carrier: Carrier, opened: OpenApp): Promise<void> {
  try {
    await found.check({
      carrier: carrier.name,
      open: (target, init) => opened.send({ ...init, target }),
      fetch: async (target, init) => collect(await opened.send({ ...init, target })),
    });
  } finally {
    await opened.close();
  }
}

const canRun = (found: Case, carrier: Carrier): boolean =>
  found.needs.every((ability) => carrier.abilities.has(ability));

describe.each([memoryCarrier(), http1Carrier(), http2Carrier()].map((carrier) => [carrier.name, carrier] as const))(
  "TypeScript ASGI, %s",
  (_, carrier) => {
    for (const [name, found] of cases) {
      if (!canRun(found, carrier) || isExcluded(NOT_THROUGH_ASGI, name, carrier)) continue;
      test(found.title, async () => {
        const asgi = toAsgi(found);
        const app = fromAsgi(found.breaksRules ? asgi : validator(asgi), { lifespan: "on" });
        await check(found, carrier, await carrier.open({ app, module: "", breaksRules: found.breaksRules }));
      });
    }
  },
);

describe("Python ASGI", () => {
  const app = pythonAsgi("asgi_cases:app", {
    cwd: join(import.meta.dirname, "../python"),
    python: frameworksPython,
    workers: 1,
  });
  beforeAll(async () => {
    if (isThere(frameworksPython)) await app.start?.(createContext());
  });
  afterAll(() => app.stop?.(AbortSignal.timeout(5_000)));

  for (const carrier of [http1Carrier(), http2Carrier()]) {
    for (const name of wsgiTwins) {
      const found = cases.get(name);
      if (found === undefined || !canRun(found, carrier) || isExcluded(NOT_THROUGH_ASGIREF, name, carrier)) continue;
      requires(frameworksPython)(`${carrier.name}: ${found.title}`, async () => {
        const opened = await carrier.open({ app: twinOf(name, app), module: "", breaksRules: found.breaksRules });
        await check(found, carrier, opened);
      });
    }
  }

  requires(frameworksPython)("an application of ASGI 2 runs behind asgiref's guarantee_single_callable", async () => {
    const cwd = join(import.meta.dirname, "../python");
    const double = pythonAsgi("asgi_cases:double", { cwd, python: frameworksPython, workers: 1 });
    expect((await request(double, "/x")).text()).toBe("ASGI 2 at /x, from a thread");
  });
});
