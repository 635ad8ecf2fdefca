// What Prometheus reads: the text as its own parser sees it, and numbers that are those of what was asked.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished, test } from "vitest";
import { appSaying, type Folder, folderWith, gw, type Server, serving } from "./gw.ts";

const manual = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");

const backendApp = `import { text } from "@gw/core";
export default {
  async start({ backends }) {
    const command = [process.execPath, "-e", "setInterval(() => {}, 1e6)"];
    await backends.start({ name: "a \\"painter\\"", command, env: {}, socket: "none", ready: "spawn" });
  },
  handle: () => text("tool\\n"),
};
`;

function scrape(socketPath: string): Promise<string> {
  return new Promise((done, fail) => {
    const request = httpRequest({ socketPath, path: "/metrics", headers: { host: "localhost" } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => done(text));
    });
    request.on("error", fail).end();
  });
}

/** The value of a sample, by its name and some of its labels. */
function sampleOf(text: string, name: string, ...labels: readonly string[]): number {
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) && labels.every((one) => line.includes(one)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** A program that is done when there is a file named `go` beside it. */
const patientProgram = `#!/bin/sh
while ! [ -e go ]; do sleep 0.02; done
printf 'Content-Type: text/plain\\r\\n\\r\\ndone\\n'
`;

async function gateway(): Promise<{ folder: Folder; server: Server; metrics(): Promise<string> }> {
  const folder = folderWith({ "app.ts": appSaying("hello"), "tool.mjs": backendApp, "slow.cgi": patientProgram });
  const mounts = ["--mount", "/tool=./tool.mjs", "--mount", "/slow=cgi:./slow.cgi?maxProcesses=1"];
  const words = [...mounts, "--admin", "unix:admin.sock", "--no-access-log"];
  const server = await serving(folder, ["serve", "app.ts", "-p", "0", "-w", "2", ...words]);
  return { folder, server, metrics: () => scrape(join(folder.path, "admin.sock")) };
}

requires("promtool")(
  "the metrics of a tree are added up over its workers, and promtool finds no fault in them",
  async () => {
    const { server, metrics } = await gateway();
    for (let time = 0; time < 20; time++) {
      await (await fetch(`${server.urls[0]}/x`, { headers: { connection: "close" } })).arrayBuffer();
      await (await fetch(`${server.urls[0]}/tool`, { method: "POST", headers: { connection: "close" } })).arrayBuffer();
    }
    const text = await metrics();
    expect(
      execFileSync("promtool", ["check", "metrics"], {
        input: text,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "pipe"],
      }),
    ).toBe("");
    expect(sampleOf(text, "gw_http_requests_total", 'app="/"', 'method="GET"', 'status="200"', 'result="sent"')).toBe(
      20,
    );
    expect(sampleOf(text, "gw_http_requests_total", 'app="/tool"', 'method="POST"')).toBe(20);
    expect(sampleOf(text, "gw_http_response_bytes_total", 'app="/"')).toBe(20 * "hello /x\n".length);
    expect(sampleOf(text, "gw_http_request_duration_seconds_count", 'app="/tool"')).toBe(20);
    expect(sampleOf(text, "gw_http_request_duration_seconds_bucket", 'app="/tool"', 'le="+Inf"')).toBe(20);
    expect(text).toMatch(/^gw_http_requests_in_flight\{app="\/tool"\} 0$/m);
    expect(text).toMatch(/^gw_http_requests_waiting\{app="\/slow",phase="queue"\} 0$/m); // though never asked
    for (const [backend, count] of [
      ['backend="gateway"', 2],
      ['backend="a \\"painter\\""', 1],
    ] as const) {
      expect(sampleOf(text, "gw_backend_processes", backend)).toBe(count);
      expect(sampleOf(text, "gw_backend_processes_wanted", backend)).toBe(count);
      expect(sampleOf(text, "gw_backend_start_seconds_count", backend)).toBe(count);
      expect(sampleOf(text, "gw_backend_state", backend, 'state="ready"')).toBe(1);
      expect(sampleOf(text, "gw_backend_restarts_total", backend)).toBe(0);
    }
  },
);

const PATIENCE = { timeout: 20_000 };
const mine = ['app="/slow"'] as const;

test("R-O5: no counter goes back when workers are killed or replaced; who waits is seen while he waits", async () => {
  const { folder, server, metrics } = await gateway();
  const ask = (): Promise<Response> =>
    fetch(`${server.urls[0]}/slow`, {
      method: "POST",
      headers: { connection: "close" },
      body: ReadableStream.from([Buffer.from("no length")]), // chunked
      duplex: "half",
    } as RequestInit);
  const answers = Promise.all(Array.from({ length: 6 }, ask));
  // One program runs in each worker at most; how the kernel shares out the rest is its business.
  await expect.poll(async () => sampleOf(await metrics(), "gw_http_requests_in_flight", ...mine), PATIENCE).toBe(6);
  await expect
    .poll(async () => sampleOf(await metrics(), "gw_http_requests_waiting", ...mine), PATIENCE)
    .toBeGreaterThan(3);
  folder.write("go", "");
  expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  // An answer is there a moment before its end is counted.
  await expect.poll(async () => sampleOf(await metrics(), "gw_http_requests_in_flight", ...mine), PATIENCE).toBe(0);
  const before = await metrics();
  expect(sampleOf(before, "gw_http_requests_waiting", ...mine)).toBe(0);
  expect(sampleOf(before, "gw_http_wait_seconds_count", ...mine, 'phase="queue"')).toBeGreaterThan(3);
  expect(sampleOf(before, "gw_http_wait_seconds_sum", ...mine, 'phase="queue"')).toBeGreaterThan(0);
  expect(sampleOf(before, "gw_http_wait_seconds_count", ...mine, 'phase="spawn"')).toBe(6);
  expect(sampleOf(before, "gw_http_request_bytes_total", ...mine)).toBe(6 * "no length".length);

  process.kill(Number(/"pid":(\d+)/.exec(JSON.stringify(await workersOf(folder)))?.[1]), "SIGKILL");
  await expect
    .poll(async () => sampleOf(await metrics(), "gw_backend_restarts_total", 'backend="gateway"'), PATIENCE)
    .toBe(1);
  const after = await metrics();
  expect(sampleOf(after, "gw_http_requests_total", ...mine)).toBe(6);
  expect(sampleOf(after, "gw_http_request_bytes_total", ...mine)).toBe(54);
  await expect
    .poll(async () => sampleOf(await metrics(), "gw_backend_processes", 'backend="gateway"'), PATIENCE)
    .toBe(2);

  expect((await gw(folder, ["ctl", "reload", "--admin", "unix:admin.sock"])).code).toBe(0);
  await expect
    .poll(async () => sampleOf(await metrics(), "gw_backend_processes_wanted", 'backend="a \\"painter\\""'), PATIENCE)
    .toBe(1);
  const reloaded = await metrics();
  expect(sampleOf(reloaded, "gw_http_requests_total", ...mine)).toBe(6);
  expect(sampleOf(reloaded, "gw_backend_processes", 'backend="a \\"painter\\""')).toBe(1);
  expect(sampleOf(reloaded, "gw_backend_processes", 'backend="gateway"')).toBe(2);
}, 60_000);

async function workersOf(folder: Folder): Promise<unknown> {
  const { stdout } = await gw(folder, ["ctl", "workers", "-j", "--admin", "unix:admin.sock"]);
  return JSON.parse(stdout);
}

requires("promtool")("docs/operations.md has every metric, and its alerts are expressions about them", async () => {
  const { metrics } = await gateway();
  const names = [...(await metrics()).matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name as string);
  expect(names.filter((name) => !manual.includes(`\`${name}\``))).toEqual([]);
  const [, alerts = ""] = /What to alert on:\n\n```\n([\s\S]*?)```/.exec(manual) ?? [];
  const expressions = alerts.trim().split("\n");
  expect(expressions.length).toBeGreaterThan(3);
  const used = expressions.map((one) => /gw_\w+?(?=_bucket\b|\W)/.exec(one)?.[0] ?? one);
  expect(used.filter((name) => !names.includes(name))).toEqual([]);
  const rules = { groups: [{ name: "gw", rules: expressions.map((expr, at) => ({ alert: `a${at}`, expr })) }] };
  const file = join(folderWith({ "rules.yaml": JSON.stringify(rules) }).path, "rules.yaml");
  expect(execFileSync("promtool", ["check", "rules", file], { encoding: "utf8" })).toContain("4 rules found");
});

requires("systemd-analyze")("the units of docs/operations.md are units to systemd", () => {
  const folder = mkdtempSync(join(tmpdir(), "gw-units-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = ["gw.service", "gw.socket"].map((name) => {
    const [, unit = ""] = new RegExp(`# /etc/systemd/system/${name}\\n([\\s\\S]*?)\`\`\``).exec(manual) ?? [];
    expect(unit).toContain("[Install]");
    writeFileSync(join(folder, name), unit.replace("/srv/site/node_modules/.bin/gw", process.execPath)); // it must be there to be verified
    return join(folder, name);
  });
  const verify = (): string =>
    execFileSync("systemd-analyze", ["verify", ...files], { encoding: "utf8", stdio: "pipe" });
  expect(verify).not.toThrow();
  writeFileSync(files[0] as string, readFileSync(files[0] as string, "utf8").replace("Type=notify", "Type=nonsense"));
  expect(execFileSync("sh", ["-c", `systemd-analyze verify ${files[0]} 2>&1 || true`], { encoding: "utf8" })).toContain(
    "nonsense",
  );
});

test("a scrape of a gateway without a request has no sample that is no number", async () => {
  const { metrics } = await gateway();
  for (const line of (await metrics()).split("\n").filter((one) => one !== "" && !one.startsWith("#")))
    expect(Number(line.slice(line.lastIndexOf(" ") + 1)), line).not.toBeNaN();
});
