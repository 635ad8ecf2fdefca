import { cutsOf } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { BatchDecoder, type Part } from "./batch-decoder.ts";
import { BatchWriter, rawBodyHead } from "./batch-writer.ts";
import { MAX_BATCH_BYTES, TO_PYTHON } from "./frames.ts";

/** A batch, a raw frame, an empty raw frame, a batch. */
const stream = Buffer.from(
  "020000004e540b00008007000000030000 00010203080000800700000004000000010000004e".replace(" ", ""),
  "hex",
);

function decode(chunks: Iterable<Uint8Array>): unknown[] {
  const decoder = new BatchDecoder();
  const found: unknown[] = [];
  let raw: number[] = [];
  for (const chunk of chunks) {
    for (const part of decoder.feed(chunk)) {
      if (part.kind === "batch") found.push([...part.bytes]);
      else {
        raw.push(...part.bytes);
        if (part.isLast) {
          found.push({ stream: part.stream, op: part.op, bytes: raw });
          raw = [];
        }
      }
    }
  }
  decoder.end();
  return found;
}

describe("the decoder", () => {
  test.each(cutsOf(stream).map((chunks) => ({ chunks: [...chunks] })))(
    "finds the same batches and raw frames however the bytes are cut",
    ({ chunks }) => {
      expect(decode(chunks)).toEqual([
        [0x4e, 0x54],
        { stream: 7, op: 3, bytes: [1, 2, 3] },
        { stream: 7, op: 4, bytes: [] },
        [0x4e],
      ]);
    },
  );

  test("R-W7: hands on the pieces of a raw frame as they come", () => {
    const decoder = new BatchDecoder();
    const piece = (parts: Part[]): unknown =>
      parts.map((part) => part.kind === "raw" && [part.bytes.length, part.isLast]);
    expect(piece(decoder.feed(Buffer.from("12000080010000000300000001020304", "hex")))).toEqual([[4, false]]);
    expect(piece(decoder.feed(Buffer.from("050607080 90a".replace(" ", ""), "hex")))).toEqual([[6, true]]);
  });

  test.each([
    ["a batch that is too long", Buffer.from(Uint32Array.of(MAX_BATCH_BYTES + 1).buffer)],
    ["a raw frame without room for its head", Buffer.from("07000080", "hex")],
  ])("refuses %s", (_what, bytes) => {
    expect(() => new BatchDecoder().feed(bytes)).toThrow(expect.objectContaining({ code: "GW_PYTHON_PROTOCOL" }));
  });

  test.each([1, 3, 5, 8, 16, 20])("refuses an end after %i bytes", (length) => {
    const decoder = new BatchDecoder();
    decoder.feed(stream.subarray(0, length));
    expect(() => decoder.end()).toThrow("it closed inside a frame");
  });
});

describe("the writer", () => {
  test("gathers frames behind one length and count", () => {
    const writer = new BatchWriter();
    expect(writer.take()).toBe(null);
    writer.frame(TO_PYTHON.GONE, 1, 2);
    writer.frame(TO_PYTHON.CREDIT, 2, 3).int(3);
    expect(writer.frames).toBe(2);
    expect(writer.take()?.toString("hex")).toBe(
      "22000000" + "5b02000000" + "29026902000000" + "6901000000" + "2903690300000069020000006903000000",
    );
    expect(writer.take()).toBe(null);
  });

  test("takes back a frame that could not be finished", () => {
    const writer = new BatchWriter();
    const fails = (): void =>
      writer.request(TO_PYTHON.REQUEST, 9, 3, (marshal) => {
        marshal.text("half");
        throw new Error("no");
      });
    expect(fails).toThrow("no");
    expect(writer.take()).toBe(null);
    writer.frame(TO_PYTHON.GONE, 1, 2);
    expect(fails).toThrow("no");
    expect(writer.take()?.toString("hex")).toBe("11000000" + "5b01000000" + "29026902000000" + "6901000000");
  });

  test("announces the bytes of a raw body frame", () => {
    expect(rawBodyHead(7, 3, true).toString("hex")).toBe("0b0000800700000001010000");
  });
});
