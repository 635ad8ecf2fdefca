import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, describe, expect } from "vitest";
import type { PythonWsgiOptions } from "../src/python.ts";
import { type PythonTestApp, start } from "./python-app.ts";

const withPython = requires("python3", "/proc/self/fd");
const running: PythonTestApp[] = [];
const folder = mkdtempSync(join(tmpdir(), "gw-files-"));
const path = join(folder, "big.bin");
const bytes = randomBytes(3_000_000);
writeFileSync(path, bytes);

async function serve(options: PythonWsgiOptions): Promise<PythonTestApp> {
  const one = await start("big_file", options);
  running.push(one);
  return one;
}

const hash = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
/** Descriptors of ours for a file: none may stay. */
const openHere = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await expect.poll(openHere).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ["in one thread", 1],
  ["in four threads", 4],
])("a file through wsgi.file_wrapper, %s", (_where, threads) => {
  withPython("is sent whole, with its length, and closed once", async () => {
    const app = await serve({ threads });
    const answer = await app.request(`/?${path}&0&`);
    expect([answer.status, answer.headers.get("content-length")]).toEqual([200, "3000000"]);
    expect(hash(answer.bytes)).toBe(hash(bytes));
    expect((await app.request("/closed")).text()).toBe("1");
  });

  withPython("is sent from where it stands, and no further than the app's Content-Length", async () => {
    const app = await serve({ threads });
    const answer = await app.request(`/?${path}&1000&2000000`);
    expect(answer.headers.getAll("content-length")).toEqual(["2000000"]);
    expect(hash(answer.bytes)).toBe(hash(bytes.subarray(1_000, 2_001_000)));
  });

  withPython("that has lost its name, and one that is compressed, are what read() gives", async () => {
    const app = await serve({ threads });
    const nameless = await app.request("/?tempfile&256&");
    expect([nameless.bytes.length, nameless.bytes[255]]).toEqual([256 * 1_023, 255]);
    writeFileSync(join(folder, "a.gz"), gzipSync(bytes));
    expect(hash((await app.request(`/?${join(folder, "a.gz")}&0&`)).bytes)).toBe(hash(bytes));
  });

  withPython("is not read for HEAD", async () => {
    const app = await serve({ threads });
    const answer = await app.request(`/?${path}&0&`, { method: "HEAD" });
    expect([answer.headers.get("content-length"), answer.bytes.length]).toEqual(["3000000", 0]);
  });

  withPython("leaves the worker free while a slow client takes it", async () => {
    const app = await serve({ threads });
    const held = Array.from({ length: threads + 1 }, () => {
      let go = (): void => {};
      let here = (): void => {};
      const gate = new Promise<void>((done) => {
        go = done;
      });
      const begun = new Promise<void>((done) => {
        here = done;
      });
      const onChunk = (): Promise<void> => {
        here();
        return gate;
      };
      return { go, begun, answer: app.request(`/?${path}&0&`, { onChunk }) };
    });
    await Promise.all(held.map(({ begun }) => begun));
    // More clients hang on files than there are threads, and somebody else is answered.
    expect((await app.request("/closed")).text()).toBe(String(threads + 1));
    for (const { go } of held) go();
    for (const { answer } of held) expect(hash((await answer).bytes)).toBe(hash(bytes));
  });

  withPython("is closed here, too, when the client leaves", async () => {
    const app = await serve({ threads });
    const gone = new AbortController();
    const answer = await app.request(`/?${path}&0&`, { signal: gone.signal, onChunk: () => gone.abort() });
    expect(answer.outcome.result).toBe("gone");
  });
});
