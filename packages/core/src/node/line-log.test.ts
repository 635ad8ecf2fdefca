import { expect, test } from "vitest";
import { LineLog, type LineLogOptions } from "./line-log.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function recorded(options: Omit<LineLogOptions, "write" | "dropped"> = {}) {
  const lines: string[] = [];
  const dropped: number[] = [];
  const log = new LineLog({ write: (line) => lines.push(line), dropped: (count) => dropped.push(count), ...options });
  return { log, lines, dropped };
}

test("finds the same lines however the bytes are cut", () => {
  const text = bytes("one\r\n\nzwölf\nlast");
  for (let cut = 0; cut <= text.length; cut++) {
    const { log, lines } = recorded();
    log.feed(text.subarray(0, cut));
    log.feed(text.subarray(cut));
    log.end();
    expect(lines).toEqual(["one", "zwölf", "last"]);
  }
});

test("R-C16: a line without end costs no more than its limit, and says how long it was", () => {
  const { log, lines } = recorded({ maxLineBytes: 8 });
  for (let at = 0; at < 1000; at++) log.feed(bytes("abcdefghij"));
  log.feed(bytes("\nnext\n"));
  expect(lines).toEqual(["abcdefgh… (10000 bytes)", "next"]);
});

test("R-C16: a flood is limited to a burst and a rate, and what was dropped is counted", () => {
  let ms = 0;
  const { log, lines, dropped } = recorded({ burst: 3, linesPerSecond: 10, now: () => ms });
  for (let at = 0; at < 10; at++) log.feed(bytes(`${at}\n`));
  expect(lines).toEqual(["0", "1", "2"]);
  ms = 99;
  log.feed(bytes("too early\n"));
  expect(dropped).toEqual([]);
  ms = 100;
  log.feed(bytes("in time\n"));
  expect([lines.at(-1), dropped]).toEqual(["in time", [8]]);
  log.feed(bytes("again too early\n"));
  log.end();
  expect(dropped).toEqual([8, 1]);
});

test("keeps the last lines, also those that the rate limit dropped", () => {
  const { log } = recorded({ burst: 1, now: () => 0 });
  for (let at = 0; at < 100; at++) log.feed(bytes(`line ${at}\n`));
  expect(log.tail().split("\n")).toEqual(Array.from({ length: 20 }, (_, at) => `line ${at + 80}`));
});
