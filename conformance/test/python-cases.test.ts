// The shared cases with their apps in Python, under the real wsgiref.validate: through a thread, through threads.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type App, createContext, type Logger } from "@gw/core";
import { collect, http1Carrier, memoryCarrier } from "@gw/testing";
import { pythonWsgi } from "@gw/wsgi";
import { isThere, requires } from "@gw-private/requires";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case } from "../case.ts";
import { twinOf, wsgiTwins } from "../python-cases.ts";

const folder = join(import.meta.dirname, "../cases");
const cases = new Map<string, Case>();
for (const file of readdirSync(folder)) {
  for (const [name, found] of Object.entries((await import(join(folder, file))) as Record<string, Case>))
    cases.set(name, found);
}
const cwd = join(import.meta.dirname, "../python");
const modes: Readonly<Record<string, App>> = {
  "one thread": pythonWsgi("wsgi_cases:app", { cwd, workers: 1, threads: 1 }),
  "four threads": pythonWsgi("wsgi_cases:app", { cwd, workers: 1, threads: 4 }),
  WebAssembly: pythonWsgi("wsgi_cases:app", { cwd, engine: "wasm" }),
};

test("every twin belongs to a case", () => {
  expect(wsgiTwins.length).toBeGreaterThan(40);
  expect(wsgiTwins.filter((name) => !cases.has(name))).toEqual([]);
});

/** What the workers write: a finding of the validator that comes too late for the answer is only there. */
const written: string[] = [];
const write = (facts: object | string, message?: string): void => {
  written.push(typeof facts === "string" ? facts : (message ?? ""));
};
const log: Logger = {
  trace: write,
  debug: write,
  info: write,
  warn: write,
  error: write,
  fatal: write,
  child: () => log,
};

describe.each(Object.keys(modes))("Python in %s", (mode) => {
  const app = modes[mode] as App;
  beforeAll(async () => {
    if (isThere("python3") || mode === "WebAssembly") await app.start?.(createContext({ log }));
  }, 60_000);
  afterAll(async () => {
    await app.stop?.(AbortSignal.timeout(5_000));
    expect(written.filter((line) => /garbage collected|AssertionError/.test(line))).toEqual([]);
  });

  // Carriers make no difference to what runs inside; two of them do for processes, too, which take their bodies apart.
  for (const carrier of mode === "WebAssembly" ? [memoryCarrier()] : [memoryCarrier(), http1Carrier()]) {
    for (const name of wsgiTwins) {
      const found = cases.get(name);
      if (found === undefined || found.needs.some((ability) => !carrier.abilities.has(ability))) continue;
      (mode === "WebAssembly" ? test : requires("python3"))(`${carrier.name}: ${found.title}`, async () => {
        const opened = await carrier.open({ app: twinOf(name, app), module: "", breaksRules: found.breaksRules });
        try {
          await found.check({
            carrier: carrier.name,
            open: (target, request) => opened.send({ ...request, target }),
            fetch: async (target, request) => collect(await opened.send({ ...request, target })),
          });
        } finally {
          await opened.close();
        }
      });
    }
  }
});
