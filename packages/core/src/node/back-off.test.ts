import { expect, test } from "vitest";
import { BackOff } from "./back-off.ts";

const pauses = (backOff: BackOff, count: number): number[] => Array.from({ length: count }, () => backOff.next(0));

test("R-O3: doubles from 1 to 30 seconds", () => {
  const backOff = new BackOff({ firstMs: 1_000, longestMs: 30_000, random: () => 0 });
  expect(pauses(backOff, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});

test("R-O3: spreads each pause by up to half, and never leaves the limits", () => {
  const most = new BackOff({ firstMs: 1_000, longestMs: 30_000, random: () => 0.999_999 });
  expect(pauses(most, 7).map(Math.round)).toEqual([1_500, 3_000, 6_000, 12_000, 24_000, 30_000, 30_000]);
  const any = new BackOff({ firstMs: 1_000, longestMs: 30_000 });
  for (const pause of pauses(any, 2_000)) expect(pause >= 1_000 && pause <= 30_000).toBe(true);
});

test("forgives a process that was ready for long: it starts again at once, and the count begins anew", () => {
  const backOff = new BackOff({ firstMs: 1_000, longestMs: 30_000, random: () => 0 });
  pauses(backOff, 3);
  expect(backOff.next(59_999)).toBe(8_000);
  expect(backOff.next(60_000)).toBe(0);
  expect(backOff.next(10)).toBe(1_000);
});

test("one that ends itself is started again at once as long as its service pays for it", () => {
  const backOff = new BackOff({ firstMs: 1_000, longestMs: 30_000, random: () => 0 });
  pauses(backOff, 3);
  for (let end = 0; end < 1_000; end++) expect(backOff.mayStartAtOnce(150)).toBe(true);
  expect(backOff.next(0)).toBe(1_000); // the failures of before are forgotten
  // Each 50 ms of service pay for half a start, and nine are saved up.
  const fast = Array.from({ length: 1_000 }, () => backOff.mayStartAtOnce(50));
  expect(fast.indexOf(false)).toBe(18);
  expect(fast.slice(100).filter(Boolean).length).toBe(450);
});

test("one that ends itself at once for ever has ten starts, whatever pauses it makes", () => {
  const backOff = new BackOff({ firstMs: 1_000, longestMs: 30_000, random: () => 0 });
  const ends = Array.from({ length: 15 }, () => (backOff.mayStartAtOnce(2) ? 0 : backOff.next(2)));
  expect(ends).toEqual([...Array.from({ length: 10 }, () => 0), 1_000, 2_000, 4_000, 8_000, 16_000]);
});

test("takes one fixed pause where first and longest are the same", () => {
  const backOff = new BackOff({ firstMs: 50, longestMs: 50, random: () => 0.5 });
  for (const pause of pauses(backOff, 5)) expect(pause > 0 && pause <= 50).toBe(true);
});
