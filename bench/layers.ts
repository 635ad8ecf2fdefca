// What every layer costs alone: each row of the matrix of layers, in one process, over a plain app.
//
// `node layers.ts [rounds] [requests] [part of a name]`: microseconds that the row adds to a request, in interleaved rounds. A row
// does what its words say, refusals too; of `forward-auth`, the server that is asked runs in the same process.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, compose, createContext, discard, isPromise, OpenExchange, Runtime, text } from "@gw/core";
import { testRequest } from "@gw/core/testing";
import { startAuthServer } from "../conformance/layers/auth-server.ts";
import type { LayerRow } from "../conformance/layers/row.ts";
import { layerRows } from "../conformance/layers/rows.ts";
import { type LastRequest, lastRequest, type Send } from "../conformance/layers/steps.ts";
import { interleave, median, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 9);
const requests = Number(process.argv[3] ?? 2_000);
const wanted = process.argv[4] ?? "";

/** One request through a runtime, to its end. */
async function ask(runtime: Runtime, { target = "/", ...asked }: Parameters<Send>[0]): Promise<Answer> {
  const exchange = new OpenExchange(runtime);
  const { method = "GET", headers = [], body } = asked;
  const init = { method, headers: [...headers], exchange, ...(body instanceof Uint8Array && { body }) };
  const answered = runtime.answer(testRequest(target, init as Parameters<typeof testRequest>[1]));
  const answer: Answer = isPromise(answered) ? await answered : answered;
  const discarded = discard(answer);
  if (isPromise(discarded)) await discarded;
  exchange.end({ status: 200, bytesSent: 0, result: "sent", error: null });
  return answer;
}

/** As many of the row's last requests as its measure needs: one for all, or, where each counts once, one for each. */
async function prepared(runtime: Runtime, row: LayerRow): Promise<readonly LastRequest[]> {
  const send: Send = async (request) => {
    const { headers, ...answer } = await ask(runtime, request);
    return { status: answer.kind === "accept" ? 101 : answer.status, headers, text: "" };
  };
  const made: LastRequest[] = [];
  for (let at = 0; at < (row.isOnce ? requests : 1); at++) made.push(await lastRequest(row, "", send));
  return made;
}

async function measured(name: string, row: LayerRow, isBare: boolean): Promise<Variant> {
  const answer = text("ok");
  const context = createContext();
  const full = new Runtime(
    compose(row.layers(), () => answer),
    { context },
  );
  const bare = new Runtime(() => answer, { context });
  for (const runtime of [full, bare]) await runtime.start();
  const asked = isBare ? bare : full;
  return {
    name,
    async measure() {
      const made = await prepared(full, row);
      const begin = process.hrtime.bigint();
      for (let at = 0; at < requests; at++) await ask(asked, made[at % made.length] as LastRequest);
      return Number(process.hrtime.bigint() - begin) / requests / 1_000;
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "gw-bench-layers-"));
writeFileSync(join(folder, "page.txt"), "page\n");
const authServer = await startAuthServer();
const rows = layerRows({ authUrl: authServer.url, folder }).filter(({ layer }) => layer.includes(wanted));

// The same request without the layer, for each row of its own: rows with a body or more fields cost more by themselves.
const variants: Variant[] = [];
for (const row of rows) {
  const name = `${row.layer} | ${row.does}`;
  variants.push(await measured(name, row, true), await measured(name, row, false));
}
// Names are the same in pairs, so each variant is told apart by its place.
const results = await interleave(
  variants.map(({ measure }, at) => ({ name: String(at), measure })),
  { rounds, warmUp: 3 },
);
console.log(`Node ${process.version}, ${process.arch}; ${rounds} rounds of ${requests}\n`);
console.log("| layer | what it does here | least µs | median µs |\n|---|---|---:|---:|");
for (const [at, { layer, does }] of rows.entries()) {
  const bare = results[2 * at]?.values ?? [];
  const full = results[2 * at + 1]?.values ?? [];
  const added = full.map((value, round) => value - (bare[round] ?? 0));
  const least = Math.max(0, Math.min(...full) - Math.min(...bare));
  console.log(`| \`${layer}\` | ${does} | ${least.toFixed(1)} | ${Math.max(0, median(added)).toFixed(1)} |`);
}
rmSync(folder, { recursive: true });
process.exit(0);
