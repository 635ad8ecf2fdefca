// Requests whose bodies are spooled on a small disk: `TMPDIR=/small node small-disk.mjs SPAWNER PROGRAM`. Prints what came of each.
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { cgiProgram } from "@gw/cgi";
import { request } from "@gw/core/testing";

const [spawner, command] = process.argv.slice(2);
const app = cgiProgram({ command, spawner });

async function* chunks(count) {
  for (let at = 0; at < count; at++) yield new Uint8Array(100_000);
}

const came = [];
for (const count of [3, 30, 3]) {
  const answer = await request(app, "/", { method: "POST", body: chunks(count) });
  came.push([answer.status, answer.status === 200 ? answer.text() : null]);
}
const files = readdirSync(tmpdir()).filter((name) => name.startsWith("gw-spool"));
process.stdout.write(JSON.stringify({ came, files }));
process.exit(0);
