import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeText, encodeText } from "./byte-string.ts";
import { ByteQueue } from "./queue.ts";

function queueOf(...chunks: readonly string[]): ByteQueue {
  const queue = new ByteQueue();
  for (const chunk of chunks) queue.push(encodeText(chunk));
  return queue;
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : decodeText(bytes));

test("hands out exactly as many bytes as asked for, across chunks", () => {
  const queue = queueOf("ab", "cd", "ef");
  expect(text(queue.takeExact(3))).toBe("abc");
  expect(text(queue.takeExact(3))).toBe("def");
  expect(queue.length).toBe(0);
});

test("gives nothing, and keeps everything, as long as there are too few bytes", () => {
  const queue = queueOf("ab");
  expect(queue.takeExact(3)).toBeNull();
  expect(queue.length).toBe(2);
  queue.push(encodeText("c"));
  expect(text(queue.takeExact(3))).toBe("abc");
});

test("gives an empty piece for zero bytes, also when it is empty", () => {
  expect(text(new ByteQueue().takeExact(0))).toBe("");
  expect(text(new ByteQueue().takeAll())).toBe("");
  expect(text(new ByteQueue().takeSome(5))).toBe("");
});

test("hands out a view, not a copy, of a piece that lies within one chunk", () => {
  const chunk = encodeText("abcdef");
  const queue = new ByteQueue();
  queue.push(chunk);
  queue.takeExact(2);
  expect(queue.takeExact(3)?.buffer).toBe(chunk.buffer);
  expect(queue.takeSome(9)?.buffer).toBe(chunk.buffer);
});

test("takes what is there without a copy, chunk by chunk", () => {
  const queue = queueOf("abc", "", "de");
  expect(text(queue.takeSome(2))).toBe("ab");
  expect(text(queue.takeSome(9))).toBe("c");
  expect(text(queue.takeSome(9))).toBe("de");
});

test("finds a line across chunks and keeps its LF", () => {
  const queue = queueOf("Status: 2", "00\r", "\nX: 1\n", "rest");
  expect(text(queue.takeLine(100))).toBe("Status: 200\r\n");
  expect(text(queue.takeLine(100))).toBe("X: 1\n");
  expect(queue.takeLine(100)).toBeNull();
  expect(text(queue.takeAll())).toBe("rest");
});

test("gives no line that is longer than the limit", () => {
  const queue = queueOf("abcd\n");
  expect(queue.takeLine(4)).toBeNull();
  expect(queue.length).toBe(5);
  expect(text(queue.takeLine(5))).toBe("abcd\n");
});

test("finds a line again after a search with a smaller limit and after bytes were taken", () => {
  const queue = queueOf("abc", "def\nxyz");
  expect(queue.takeLine(2)).toBeNull();
  expect(queue.takeLine(6)).toBeNull();
  queue.takeExact(4);
  expect(text(queue.takeLine(100))).toBe("ef\n");
  expect(queue.takeLine(100)).toBeNull();
  queue.push(encodeText("\n"));
  expect(text(queue.takeLine(100))).toBe("xyz\n");
});

test("goes on searching at the right place when many used chunks were let go", () => {
  const queue = queueOf(..."x".repeat(100));
  expect(queue.takeLine(1_000)).toBeNull();
  for (let taken = 0; taken < 70; taken++) expect(text(queue.takeExact(1))).toBe("x");
  queue.push(encodeText("y\nz"));
  expect(text(queue.takeLine(1_000))).toBe(`${"x".repeat(30)}y\n`);
  expect(text(queue.takeAll())).toBe("z");
});

test("looks ahead without taking", () => {
  const queue = queueOf("ab", "c");
  queue.takeExact(1);
  expect([queue.peek(), queue.peek(1), queue.peek(2)]).toEqual([0x62, 0x63, -1]);
  expect(queue.length).toBe(2);
});

test("searches each byte once, however small the chunks of an unfinished line are", () => {
  const queue = new ByteQueue();
  let searched = 0;
  for (let at = 0; at < 200; at++) {
    const chunk = encodeText("x".repeat(50));
    const indexOf = chunk.indexOf.bind(chunk);
    chunk.indexOf = (byte: number, from = 0): number => {
      searched += chunk.length - from;
      return indexOf(byte, from);
    };
    queue.push(chunk);
    expect(queue.takeLine(1_000_000)).toBeNull();
  }
  expect(searched).toBe(200 * 50);
});

test("gives the same bytes and lines as one string would, whatever is pushed and taken", () => {
  const step = fc.oneof(
    fc.record({ push: fc.stringMatching(/^[ab\n]{0,6}$/) }),
    fc.record({ exact: fc.nat(8) }),
    fc.record({ some: fc.nat(8) }),
    fc.record({ line: fc.nat(8) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new ByteQueue();
      let model = "";
      for (const one of steps) {
        if ("push" in one) {
          queue.push(encodeText(one.push));
          model += one.push;
        } else if ("exact" in one) {
          const expected = model.length >= one.exact ? model.slice(0, one.exact) : null;
          expect(text(queue.takeExact(one.exact))).toBe(expected);
          if (expected !== null) model = model.slice(one.exact);
        } else if ("some" in one) {
          const taken = text(queue.takeSome(one.some)) ?? "";
          expect(taken.length > 0).toBe(model.length > 0 && one.some > 0);
          expect(model.startsWith(taken)).toBe(true);
          model = model.slice(taken.length);
        } else {
          const end = model.indexOf("\n") + 1;
          const expected = end > 0 && end <= one.line ? model.slice(0, end) : null;
          expect(text(queue.takeLine(one.line))).toBe(expected);
          if (expected !== null) model = model.slice(end);
        }
        expect(queue.length).toBe(model.length);
        expect(queue.peek()).toBe(model === "" ? -1 : model.charCodeAt(0));
      }
    }),
  );
});
