// Temporary files: what they hold, and what is left of them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bufferBody, json } from "../src/index.ts";
import { fileSpool } from "../src/node/index.ts";
import { request } from "../src/testing/index.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gw-spool-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (chunk: Uint8Array): string => new TextDecoder().decode(chunk);
const descriptors = (): string[] =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter((target) => target.startsWith(directory));
    } catch {
      return []; // the one that read the directory
    }
  });

describe("a temporary file", () => {
  test("gives back what was written, at any place, as often as asked", async () => {
    const spool = await fileSpool({ directory }).open();
    for (const part of ["hello, ", "", "world"]) await spool.write(bytes(part));
    expect(textOf(spool.readSync(0, 100))).toBe("hello, world");
    expect(textOf(spool.readSync(7, 3))).toBe("wor");
    expect(textOf(await spool.read(7, 100))).toBe("world");
    expect(textOf(await spool.read(0, 1))).toBe("h");
    expect([spool.readSync(12, 5).length, (await spool.read(99, 5)).length]).toEqual([0, 0]);
    await spool.close();
    await spool.close();
    expect(() => spool.readSync(0, 1)).toThrow();
  });

  test("has no name while it is open, and is gone when closed", async () => {
    const spool = await fileSpool({ directory }).open();
    await spool.write(bytes("x"));
    expect(readdirSync(directory)).toEqual([]);
    if (process.platform === "linux") expect(descriptors()).toHaveLength(1);
    await spool.close();
    if (process.platform === "linux") expect(descriptors()).toEqual([]);
  });

  test("takes no more than its limit, and tells 507", async () => {
    const spool = await fileSpool({ directory, maxBytes: 10 }).open();
    await spool.write(new Uint8Array(10));
    await expect(spool.write(new Uint8Array(1))).rejects.toMatchObject({ code: "GW_SPOOL_FULL", status: 507 });
    expect(spool.readSync(0, 100).length).toBe(10);
    await spool.close();
  });

  test("in a directory that does not exist is a 500 that says so", async () => {
    await expect(fileSpool({ directory: join(directory, "none") }).open()).rejects.toMatchObject({
      code: "GW_SPOOL",
      status: 500,
      message: expect.stringContaining(join(directory, "none")),
    });
  });

  test("R-C7: holds a request body of unknown length, which then has its true one and can be read again", async () => {
    const chunks = Array.from({ length: 40 }, (_, at) => new Uint8Array(10_000).fill(at));
    const answer = await request(
      async (incoming) => {
        const { body } = await bufferBody(incoming, { spool: fileSpool({ directory }), maxMemoryBytes: 1_000 });
        expect(readdirSync(directory)).toEqual([]);
        const sums = [];
        for (let round = 0; round < 2; round++) {
          let sum = 0;
          for await (const chunk of body) for (const byte of chunk) sum += byte;
          sums.push(sum);
        }
        let read = 0;
        for (let chunk = body.readSync?.(7_000); chunk?.length; chunk = body.readSync?.(7_000)) read += chunk.length;
        return json({ length: body.length, sums, read });
      },
      "/",
      {
        method: "POST",
        body: (async function* () {
          yield* chunks;
        })(),
      },
    );
    const sum = chunks.reduce((total, [byte = 0]) => total + byte * 10_000, 0);
    expect(answer.json()).toEqual({ length: 400_000, sums: [sum, sum], read: 400_000 });
    if (process.platform === "linux") expect(descriptors()).toEqual([]);
  });
});

describe("when the system is short of something", () => {
  const entry = JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href);

  /** Runs a script under a limit of the shell; what it prints as JSON. */
  function limited(limit: string, script: string): unknown {
    const preamble = `const { fileSpool } = await import(${entry}); const spools = fileSpool({ directory: ${JSON.stringify(directory)} });
      const told = (error) => ({ code: error.code, status: error.status, retryAfter: error.headers?.[0]?.[1] ?? null });`;
    const { stdout, stderr } = spawnSync(
      "/bin/sh",
      ["-c", `${limit}; exec "$0" --input-type=module -e "$1"`, process.execPath, preamble + script],
      { encoding: "utf8" },
    );
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  }

  test("R-O8: a full disk is 507, and what was written before can still be read", () => {
    // A file may not grow beyond 64 KiB: the same for a program as a disk that is full.
    const script = `const spool = await spools.open(); let error = null;
      try { for (let i = 0; i < 100; i++) await spool.write(new Uint8Array(10_000)); } catch (thrown) { error = told(thrown); }
      console.log(JSON.stringify({ error, read: spool.readSync(0, 10).length }));`;
    expect(limited("ulimit -f 128", script)).toEqual({
      error: { code: "GW_SPOOL_FULL", status: 507, retryAfter: null },
      read: 10,
    });
  });

  test("R-O9: out of descriptors is 503 with Retry-After, and it recovers by itself", () => {
    const script = `const open = []; let error = null;
      try { for (;;) open.push(await spools.open()); } catch (thrown) { error = told(thrown); }
      for (const one of open) await one.close();
      const again = await spools.open(); await again.write(new Uint8Array(5));
      console.log(JSON.stringify({ error, many: open.length > 10, again: again.readSync(0, 9).length }));`;
    expect(limited("ulimit -n 100", script)).toEqual({
      error: { code: "GW_SPOOL_BUSY", status: 503, retryAfter: "1" },
      many: true,
      again: 5,
    });
  });

  test("a process that is killed leaves nothing", () => {
    const script = `const spool = await spools.open(); await spool.write(new Uint8Array(10)); console.log("{}"); process.kill(process.pid, "SIGKILL");`;
    limited(":", script);
    expect(readdirSync(directory)).toEqual([]);
  });
});
