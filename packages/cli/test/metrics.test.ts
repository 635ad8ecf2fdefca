// What Prometheus reads: the text as its own parser sees it, and numbers that are those of what was asked.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished, test } from "vitest";
import { appSaying, folderWith, type Server, serving } from "./gw.ts";

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

async function gateway(): Promise<{ server: Server; metrics(): Promise<string> }> {
  const folder = folderWith({ "app.ts": appSaying("hello"), "tool.mjs": backendApp });
  const words = ["--mount", "/tool=./tool.mjs", "--admin", "unix:admin.sock", "--no-access-log"];
  const server = await serving(folder, ["serve", "app.ts", "-p", "0", "-w", "2", ...words]);
  return { server, metrics: () => scrape(join(folder.path, "admin.sock")) };
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
    expect(text).toMatch(/^gw_http_requests_in_flight 0$/m);
    for (const [backend, count] of [
      ['backend="gateway"', 2],
      ['backend="a \\"painter\\""', 1],
    ] as const) {
      expect(sampleOf(text, "gw_backend_processes", backend)).toBe(count);
      expect(sampleOf(text, "gw_backend_processes_wanted", backend)).toBe(count);
      expect(sampleOf(text, "gw_backend_start_seconds_count", backend)).toBe(count);
    }
  },
);

requires("systemd-analyze")("the units of docs/operations.md are units to systemd", () => {
  const manual = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");
  const folder = mkdtempSync(join(tmpdir(), "gw-units-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = ["gw.service", "gw.socket"].map((name) => {
    const [, unit = ""] = new RegExp(`# /etc/systemd/system/${name}\\n([\\s\\S]*?)\`\`\``).exec(manual) ?? [];
    expect(unit).toContain("[Install]");
    writeFileSync(join(folder, name), unit.replace("/usr/bin/npx", process.execPath)); // it must be there to be verified
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
