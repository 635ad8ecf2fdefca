// Answers that break off over HTTP/2, frame by frame (R-W5).
import { HeaderList } from "@gw/core";
import { expect, test } from "vitest";
import { serve } from "../src/index.ts";
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  get,
  HEADERS,
  PREFACE,
  RST_STREAM,
  readFrames,
  resets,
} from "./frames.ts";
import { raw } from "./raw.ts";

test.each<[string, () => Promise<unknown> | null]>([
  ["at once", () => null],
  ["a little later", () => new Promise((resolve) => setImmediate(resolve))],
])("R-W5: an answer that breaks off %s is reset, and never looks whole", async (_, wait) => {
  const server = serve(
    () => ({
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (async function* () {
        yield Buffer.from("begun");
        const later = wait();
        if (later !== null) await later;
        throw new Error("secret of the app");
      })(),
    }),
    { bind: "127.0.0.1:0", http: 2, idleGraceMs: 0 },
  );
  await server.ready;
  const connection = await raw(server);
  connection.socket.write(Buffer.concat([PREFACE, frame(HEADERS, END_HEADERS | END_STREAM, 1, get())]));
  const ofStream = (): readonly Frame[] => readFrames(connection.received()).filter(({ stream }) => stream === 1);
  await expect.poll(() => ofStream().at(-1)?.type).toBe(RST_STREAM);
  expect(resets(connection.received())).toEqual([2]); // INTERNAL_ERROR
  expect(ofStream().filter(({ type, flags }) => type === DATA && (flags & END_STREAM) !== 0)).toEqual([]);
  connection.socket.destroy();
  await server.close();
});
