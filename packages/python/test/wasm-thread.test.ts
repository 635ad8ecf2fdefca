// The thread that the supervisor takes for a process, without Python in it.
import { join } from "node:path";
import { listeningContext } from "@gw-private/listening-context";
import { expect, test } from "vitest";
import { spawnThread } from "../src/wasm-thread.ts";

const script = join(import.meta.dirname, "last-words.mjs");

test("R-W9: what a thread says right before it ends is heard, however late the gateway looks", async () => {
  const { context, log } = listeningContext();
  const ends = new Int32Array(new SharedArrayBuffer(4));
  const options = { script, scripts: "", app: "", cwd: "", folders: [], env: {}, log: context.log };
  const thread = await spawnThread({ ...options, settings: { lines: 20, ends } });
  const received: Buffer[] = [];
  thread.control?.on("data", (bytes: Buffer) => received.push(bytes));
  // Both its words and its end are there before this thread has a turn. The second wait gives it time for its last step:
  // were that not enough, the test would only prove less.
  expect(Atomics.wait(ends, 0, 0, 20_000)).not.toBe("timed-out");
  Atomics.wait(ends, 0, 1, 100);
  expect(await thread.exited).toMatchObject({ code: 1, signal: null, stderr: "line 20" });
  expect(log.filter((line) => /^line \d+$/.test(line))).toEqual(
    Array.from({ length: 20 }, (_, at) => `line ${at + 1}`),
  );
  expect(Buffer.concat(received)).toEqual(Buffer.from([1, 2, 3]));
});
