import { isGatewayError } from "@gw/core";
import { cutsOf } from "@gw/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordDecoder, type RecordPart, recordHeader, streamRecords, writeRecord } from "./record.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

interface Whole {
  type: number;
  requestId: number;
  content: string;
}

/** Puts parts together again, as a reader of whole records would see them. */
function wholes(parts: readonly RecordPart[]): Whole[] {
  const records: Whole[] = [];
  for (const { type, requestId, content, isFirst } of parts) {
    const text = Buffer.from(content).toString("hex");
    if (isFirst) records.push({ type, requestId, content: text });
    else (records.at(-1) as Whole).content += text;
  }
  return records;
}

const cases: { title: string; bytes: Uint8Array; records: Whole[] }[] = [
  {
    title: "a record without content",
    bytes: hex("01 05 0001 0000 00 00"),
    records: [{ type: 5, requestId: 1, content: "" }],
  },
  {
    title: "content without padding",
    bytes: hex("01 06 0203 0002 00 00 6869"),
    records: [{ type: 6, requestId: 0x203, content: "6869" }],
  },
  {
    title: "content with padding of any bytes",
    bytes: hex("01 06 0001 0001 07 ff 61 ffffffffffffff"),
    records: [{ type: 6, requestId: 1, content: "61" }],
  },
  {
    title: "padding without content",
    bytes: hex("01 04 0001 0000 03 00 010203"),
    records: [{ type: 4, requestId: 1, content: "" }],
  },
  {
    title: "two records after each other",
    bytes: hex("01 05 0001 0001 01 00 61 00  01 05 0001 0000 00 00"),
    records: [
      { type: 5, requestId: 1, content: "61" },
      { type: 5, requestId: 1, content: "" },
    ],
  },
];

describe("RecordDecoder", () => {
  for (const { title, bytes, records } of cases) {
    test.each(cutsOf(bytes).map((chunks) => ({ chunks })))(
      `R-F1: reads ${title} however the bytes are cut`,
      ({ chunks }) => {
        const decoder = new RecordDecoder();
        expect(wholes(chunks.flatMap((chunk) => decoder.feed(chunk)))).toEqual(records);
        expect(decoder.isBetweenRecords).toBe(true);
        expect(() => decoder.end()).not.toThrow();
      },
    );
  }

  test("R-F7: hands content on as it comes, as views, and keeps none of a record of 65,535 announced bytes", () => {
    const decoder = new RecordDecoder();
    const chunk = new Uint8Array([...recordHeader(5, 1, 65_535), 1, 2, 3]);
    const parts = decoder.feed(chunk);
    expect(parts).toEqual([{ type: 5, requestId: 1, content: Uint8Array.of(1, 2, 3), isFirst: true, isLast: false }]);
    expect((parts[0] as RecordPart).content.buffer).toBe(chunk.buffer);
    expect(() => decoder.end()).toThrow("the peer closed inside a record");
  });

  test("R-F7: another version ends the connection, after the records before it", () => {
    const decoder = new RecordDecoder();
    expect(decoder.feed(hex("01 05 0001 0000 00 00 02 05 0001 0000 00 00"))).toHaveLength(1);
    expect(isGatewayError(decoder.failure, "GW_FCGI_PROTOCOL")).toBe(true);
    expect(decoder.failure?.message).toBe("expected a record of FastCGI version 1, found version 2");
    expect(decoder.feed(hex("01 05 0001 0000 00 00"))).toEqual([]);
    expect(() => decoder.end()).toThrow("found version 2");
  });

  test("what was written is what is read, for any records in any chunks", () => {
    const record = fc.record({
      type: fc.integer({ min: 1, max: 255 }),
      requestId: fc.integer({ min: 0, max: 65_535 }),
      content: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), fc.integer({ min: 1, max: 97 }), (records, size) => {
        const bytes = Buffer.concat(
          records.map(({ type, requestId, content }) => writeRecord(type, requestId, content)),
        );
        const decoder = new RecordDecoder();
        const parts: RecordPart[] = [];
        for (let at = 0; at < bytes.length; at += size) parts.push(...decoder.feed(bytes.subarray(at, at + size)));
        expect(wholes(parts)).toEqual(
          records.map((one) => ({ ...one, content: Buffer.from(one.content).toString("hex") })),
        );
      }),
    );
  });
});

describe("streamRecords", () => {
  test("cuts at 65,535 bytes, copies nothing, and gives nothing for nothing", () => {
    const content = new Uint8Array(65_536).fill(7);
    const pieces = streamRecords(6, 1, content);
    expect(pieces.map(({ length }) => length)).toEqual([8, 65_535, 8, 1]);
    expect((pieces[1] as Uint8Array).buffer).toBe(content.buffer);
    expect(streamRecords(6, 1, new Uint8Array(0))).toEqual([]);
  });
});
