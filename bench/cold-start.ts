// What a CGI program costs before its first byte: bare Node, `runCgi`, the `gw` command; JavaScript and TypeScript.
//
// `node cold-start.ts [rounds]`; Linux. Compiled code is kept in a folder of its own, and not kept at all (`cold`).
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Measured, table } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 15);
const directory = mkdtempSync(join(tmpdir(), "gw-bench-"));
const gw = join(import.meta.dirname, "../packages/cli/bin/gw.js");
const handler = 'import { text } from "@gw/core";\nexport default (request) => text("Hello, World!\\n");\n';

const files: Readonly<Record<string, string>> = {
  "package.json": '{ "type": "module" }',
  "handler.mjs": handler,
  "handler.ts": handler.replace("request", "request: unknown"),
  "wsgi.mjs": 'export default (environ, start) => (start("200 OK", []), [Buffer.from("Hello, World!\\n")]);\n',
  "fetch.mjs": 'export default { fetch: () => new Response("Hello, World!\\n") };\n',
  "program.mjs":
    'import { text } from "@gw/core";\nimport { runCgi } from "@gw/cgi/program";\nawait runCgi(() => text("Hello, World!\\n"));\n',
};

const bare = ["-e", "process.stdout.write('Content-Type: text/plain\\n\\nHello, World!\\n')"];
const programs: readonly (readonly [name: string, words: readonly string[], isCold?: true])[] = [
  ["node -e", bare],
  ["runCgi of @gw/cgi/program", ["program.mjs"], true],
  ["gw, handler in JavaScript, cold", [gw, "handler.mjs"], true],
  ["gw, handler in JavaScript", [gw, "handler.mjs"]],
  ["gw, handler in TypeScript, cold", [gw, "handler.ts"], true],
  ["gw, handler in TypeScript", [gw, "handler.ts"]],
  ["gw, WSGI shape", [gw, "wsgi.mjs"]],
  ["gw, fetch shape", [gw, "fetch.mjs"]],
];

const environment = {
  PATH: process.env.PATH,
  HOME: directory,
  GATEWAY_INTERFACE: "CGI/1.1",
  REQUEST_METHOD: "GET",
  SCRIPT_NAME: "",
  PATH_INFO: "/",
  QUERY_STRING: "",
  SERVER_NAME: "localhost",
  SERVER_PORT: "80",
  SERVER_PROTOCOL: "HTTP/1.1",
};

/** Processor time of all children that have ended, milliseconds. */
function childrenTime(): number {
  const fields = readFileSync("/proc/self/stat", "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Milliseconds to the first byte, and those of the processor in all. */
async function start(words: readonly string[], isCold: boolean): Promise<readonly [first: number, cpu: number]> {
  const before = childrenTime();
  const begun = performance.now();
  const env = isCold ? { ...environment, NODE_DISABLE_COMPILE_CACHE: "1" } : environment;
  const child = spawn(process.execPath, words, { cwd: directory, env, stdio: ["ignore", "pipe", "inherit"] });
  let first = Number.NaN;
  child.stdout.once("data", () => {
    first = performance.now() - begun;
  });
  const code = await new Promise((done) => child.on("close", done));
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}`);
  return [first, childrenTime() - before];
}

try {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  mkdirSync(join(directory, "node_modules"));
  symlinkSync(join(import.meta.dirname, "../node_modules/@gw"), join(directory, "node_modules/@gw"));
  const measured = programs.map(([name]) => ({ name, first: [] as number[], cpu: [] as number[] }));
  for (let round = -2; round < rounds; round++) {
    for (const [at, [, words, isCold = false]] of programs.entries()) {
      const [first, cpu] = await start(words, isCold);
      if (round < 0) continue;
      measured[at]?.first.push(first);
      measured[at]?.cpu.push(cpu);
    }
  }
  process.stdout.write(`Node ${process.versions.node}, ${rounds} rounds\n\nfirst byte\n`);
  process.stdout.write(
    `${table(
      measured.map(({ name, first }): Measured => ({ name, values: first })),
      "ms",
    )}\n\n`,
  );
  for (const { name, cpu } of measured) {
    process.stdout.write(`${name}: ${(cpu.reduce((all, one) => all + one, 0) / rounds).toFixed(1)} ms CPU\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
