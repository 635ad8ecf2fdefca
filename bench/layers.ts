// What every layer costs alone: each row of the matrix of layers, in one process, over a plain app.
//
// `node layers.ts [rounds] [requests] [part of a name]`: microseconds that the row adds to a request, in interleaved rounds. A row
// does what its words say, refusals too; of `forward-auth`, the server that is asked runs in the same process.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, compose, createContext, discard, isPromise, OpenExchange, Runtime, text } from "@gw/core";
import { testRequest } from "@gw/core/testing";
import type { LayerRow } from "../conformance/layers/row.ts";
import { layerRows } from "../conformance/layers/rows.ts";
import { interleave, median, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 9);
const requests = Number(process.argv[3] ?? 2_000);
const wanted = process.argv[4] ?? "";

/** One request through a runtime, to its end. */
async function ask(
  runtime: Runtime,
  { request = {}, target = "/" }: Pick<LayerRow, "request" | "target">,
): Promise<void> {
  const exchange = new OpenExchange(runtime);
  const { method = "GET", headers = [], body } = request;
  const init = { method, headers: [...headers], exchange, ...(body instanceof Uint8Array && { body }) };
  const answered = runtime.answer(testRequest(target, init as Parameters<typeof testRequest>[1]));
  const answer: Answer = isPromise(answered) ? await answered : answered;
  const discarded = discard(answer);
  if (isPromise(discarded)) await discarded;
  exchange.end({ status: 200, bytesSent: 0, result: "sent", error: null });
}

async function measured(name: string, row: LayerRow, layers: LayerRow["layers"]): Promise<Variant> {
  const answer = text("ok");
  const runtime = new Runtime(
    compose(layers(), () => answer),
    { context: createContext() },
  );
  await runtime.start();
  return {
    name,
    async measure() {
      const begin = process.hrtime.bigint();
      for (let at = 0; at < requests; at++) await ask(runtime, row);
      return Number(process.hrtime.bigint() - begin) / requests / 1_000;
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "gw-bench-layers-"));
writeFileSync(join(folder, "page.txt"), "page\n");
const judge = createServer(({ headers }, response) => {
  if (headers.cookie === undefined) response.writeHead(401).end();
  else response.writeHead(200, { "Remote-User": "ann" }).end();
});
await new Promise<void>((done) => judge.listen(0, "127.0.0.1", done));
const authUrl = `http://127.0.0.1:${(judge.address() as AddressInfo).port}/`;
const rows = layerRows({ authUrl, folder }).filter(({ layer }) => layer.includes(wanted));

// The same request without the layer, for each row of its own: rows with a body or more fields cost more by themselves.
const variants: Variant[] = [];
for (const row of rows) {
  const name = `${row.layer} | ${row.does}`;
  variants.push(await measured(name, row, () => []), await measured(name, row, row.layers));
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
