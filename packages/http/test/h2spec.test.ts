// h2spec, the conformance suite for HTTP/2, against our listener, with its strict cases; in the clear and over TLS.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { text } from "@gw/core";
import { requires } from "@gw-private/requires";
import { afterAll, expect } from "vitest";
import { serve } from "../src/index.ts";
import { first } from "./certificates.ts";

/** Built by `.ci/run`; CONTRIBUTING.md says how by hand. */
const h2spec = join(import.meta.dirname, "../../../node_modules/.cache/h2spec/h2spec");
const folder = mkdtempSync(join(tmpdir(), "gw-h2spec-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FORGOTTEN =
  "nghttp2 keeps no record of closed streams: frames for them are ignored (RFC 9113 §5.1 lets late ones be)";
const PRIORITIES = "RFC 9113 §5.3.2 deprecates priorities: nghttp2 does not read the frame";

/** Where nghttp2, which node:http2 is made of, does something else than h2spec wants, and why that does no harm. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  "http2/5.1/8": FORGOTTEN,
  "http2/5.1/9": FORGOTTEN,
  "http2/5.1/11": FORGOTTEN,
  "http2/5.1/12": FORGOTTEN,
  "http2/5.1.1/2": FORGOTTEN,
  "http2/5.3.1/2": PRIORITIES,
  "http2/6.3/1": PRIORITIES,
  "http2/6.7/2": "node:http2 takes an unasked PING acknowledgement for an attack and closes the connection",
  "http2/6.9.1/2": "Node 20 ends the connection with GOAWAY, but does not name FLOW_CONTROL_ERROR in it",
  "http2/6.9.1/3":
    "node:http2 answers the overflow of a stream's window with GOAWAY (RFC 9113 §5.4.1 allows it) instead of RST_STREAM",
};

interface Report {
  readonly total: number;
  /** `section/number` of the cases that failed. */
  readonly failed: readonly string[];
}

/** Runs all cases, or those named. */
async function run(url: URL, timeoutSeconds: number, cases: readonly string[] = []): Promise<Report> {
  const report = join(folder, `${url.port}-${timeoutSeconds}.xml`);
  const tls = url.protocol === "https:" ? ["--tls", "--insecure"] : [];
  const target = [
    "--strict",
    "--host",
    url.hostname,
    "--port",
    url.port,
    "--timeout",
    `${timeoutSeconds}`,
    "-j",
    report,
  ];
  const status = await new Promise<number>((resolve) => {
    execFile(h2spec, [...tls, ...target, ...cases], { timeout: 120_000 }, (error) =>
      resolve(error === null ? 0 : Number(error.code)),
    );
  });
  expect([0, 1]).toContain(status);
  return readReport(readFileSync(report, "latin1"));
}

/** The report is XML in name only: it may hold NUL bytes. */
function readReport(xml: string): Report {
  const failed: string[] = [];
  let total = 0;
  for (const [, name, body] of xml.matchAll(/<testsuite [^>]*package="([^"]*)"[^>]*>([\s\S]*?)<\/testsuite>/g)) {
    const cases = (body as string).split("<testcase ").slice(1);
    total += cases.length;
    cases.forEach((one, at) => {
      if (/<(?:failure|error)/.test(one)) failed.push(`${name}/${at + 1}`);
    });
  }
  return { total, failed };
}

requires(h2spec)(
  "R-H10, R-H11, R-H12: h2spec finds nothing but what nghttp2 is known for",
  async () => {
    const app = async (request: { body: AsyncIterable<Uint8Array> }) => {
      for await (const _chunk of request.body);
      await setTimeout(20); // an app that works: a stream answered at once is closed before the faulty frame comes
      return text("hello");
    };
    const servers = [
      serve(app, { bind: "127.0.0.1:0", http: 2, idleGraceMs: 0 }),
      serve(app, { bind: "127.0.0.1:0", http: 2, idleGraceMs: 0, tls: first }),
    ];
    await Promise.all(servers.map(({ ready }) => ready));
    await Promise.all(
      servers.map(async (server) => {
        const url = new URL(server.url);
        const { total, failed } = await run(url, 1);
        expect(total).toBe(146);
        const news = failed.filter((id) => DEVIATIONS[id] === undefined);
        // A second is a long time, but not on every machine.
        if (news.length > 0) expect({ news, again: (await run(url, 10, news)).failed }).toEqual({ news, again: [] });
      }),
    );
    await Promise.all(servers.map((server) => server.close()));
  },
  180_000,
);
