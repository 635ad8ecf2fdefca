// A gibibyte through a Python app and back: the memory of gateway and worker stays flat. GW_SOAK=1 is the whole of it, by default a fifth runs.
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { Readable } from "node:stream";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { folderWith, type Server, serving } from "./gw.ts";

const scale = Number(process.env.GW_SOAK ?? 0.2);
const MEBIBYTE = 1_048_576;
const TOTAL = Math.ceil(1_024 * scale) * MEBIBYTE;

const APP = `import hashlib

def app(environ, start_response):
    body = environ["wsgi.input"]
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if environ["PATH_INFO"] == "/up":
        size = 0
        while True:
            data = body.read(65536)
            if not data:
                return [str(size).encode()]
            size += len(data)
    if environ["PATH_INFO"] == "/down":
        return (b"x" * 1048576 for _ in range(int(environ["QUERY_STRING"])))
    return iter(lambda: body.read(65536), b"")
`;

/** Memory of the gateway and its workers that is not shared, bytes. */
function memoryOf(server: Server): number {
  const children = readdirSync("/proc").filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ")[1] === String(server.pid)
      );
    } catch {
      return false;
    }
  });
  return [String(server.pid), ...children].reduce((sum, pid) => sum + residentOf(pid), 0);
}

function residentOf(pid: string): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

async function* zeros(): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(65_536);
  for (let sent = 0; sent < TOTAL; sent += piece.length) yield piece;
}

interface Transfer {
  readonly bytes: number;
  readonly text: string;
  /** The most memory that was held while it ran. */
  readonly peak: number;
}

/** Sends and receives as fast as both sides take it, and looks at the memory every 8 MiB. */
function transfer(server: Server, path: string, body: AsyncIterable<Uint8Array> | null): Promise<Transfer> {
  return new Promise((done, fail) => {
    const sent = request(`${server.urls[0]}${path}`, { method: body === null ? "GET" : "POST" }, (answer) => {
      let bytes = 0;
      let text = "";
      let look = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes < 100) text += chunk.toString();
        if (bytes >= look) {
          peak = Math.max(peak, memoryOf(server));
          look += 8 * MEBIBYTE;
        }
      });
      answer.on("end", () => done({ bytes, text, peak: Math.max(peak, memoryOf(server)) }));
      answer.on("error", fail);
    });
    let peak = 0;
    sent.on("error", fail);
    if (body === null) sent.end();
    else Readable.from(body, { objectMode: false, highWaterMark: 65_536 }).pipe(sent);
  });
}

for (const threads of [1, 4]) {
  // With one thread a body is read before the app is called, into a file: only its way down is streamed.
  requires("python3", "/proc/self/status")(
    `R-W7: ${Math.round(TOTAL / MEBIBYTE)} MiB up, down and both ways with ${threads} threads, in flat memory`,
    async () => {
      const folder = folderWith({ "soak.py": APP });
      const words = [
        "-p",
        "0",
        "--no-access-log",
        "--limit-request-body",
        "2g",
        `wsgi:soak:app?workers=1&threads=${threads}`,
      ];
      const server = await serving(folder, words);
      await transfer(server, "/down?64", null); // buffers of the runtimes grow once
      const before = memoryOf(server);
      const up = await transfer(server, "/up", zeros());
      expect(up.text).toBe(String(TOTAL));
      const down = await transfer(server, `/down?${TOTAL / MEBIBYTE}`, null);
      expect(down.bytes).toBe(TOTAL);
      const both = await transfer(server, "/echo", zeros());
      expect(both.bytes).toBe(TOTAL);
      const peak = Math.max(up.peak, down.peak, both.peak);
      if (scale >= 1) console.log(`${threads} threads: ${before} bytes before, ${peak} at most`);
      expect(peak - before).toBeLessThan(100 * MEBIBYTE);
    },
    60_000 + 600_000 * scale,
  );
}
