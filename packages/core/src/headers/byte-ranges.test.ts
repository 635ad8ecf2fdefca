import { expect, test } from "vitest";
import { selectRanges, writeContentRange } from "./byte-ranges.ts";

const pairs = (field: string | null, size = 100, maxRanges = 4) => {
  const ranges = selectRanges(field, size, maxRanges);
  return typeof ranges === "string" ? ranges : ranges.map(({ first, last }) => [first, last]);
};

test.each<[string | null, "whole" | "unsatisfiable" | number[][]]>([
  [null, "whole"],
  ["bytes=0-0", [[0, 0]]],
  ["bytes=0-", [[0, 99]]],
  ["bytes=10-19", [[10, 19]]],
  ["BYTES=10-19", [[10, 19]]],
  ["bytes=90-1000", [[90, 99]]],
  ["bytes=90-99999999999999999999999", [[90, 99]]],
  ["bytes=-1", [[99, 99]]],
  ["bytes=-1000", [[0, 99]]],
  [
    "bytes= 0-1 ,, 5-6 ,",
    [
      [0, 1],
      [5, 6],
    ],
  ],
  [
    "bytes=50-59,0-9",
    [
      [50, 59],
      [0, 9],
    ],
  ],
  ["bytes=0-9,200-300", [[0, 9]]],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=99999999999999999999999-", "unsatisfiable"],
  ["bytes=100-,200-300", "unsatisfiable"],
  ["bytes=", "whole"],
  ["bytes=-", "whole"],
  ["bytes=a-b", "whole"],
  ["bytes=5-4", "whole"],
  ["bytes=0-1,x", "whole"],
  ["bytes=+1-2", "whole"],
  ["items=0-1", "whole"],
  ["0-1", "whole"],
  [
    "bytes=0-0,1-1,2-2,3-3",
    [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  ],
  ["bytes=0-0,1-1,2-2,3-3,4-4", "whole"], // more than allowed
  ["bytes=0-99,0-99", "whole"], // more bytes than there are
  ["bytes=0-,0-", "whole"],
])("of 100 bytes, %j selects %j", (field, expected) => expect(pairs(field)).toEqual(expected));

test.each(["bytes=0-", "bytes=-5", "bytes=7-9"])("of nothing, %s gives everything", (field) =>
  expect(pairs(field, 0)).toBe("whole"),
);

test("writes what was sent, and what there would have been", () => {
  expect(writeContentRange({ first: 0, last: 9 }, 100)).toBe("bytes 0-9/100");
  expect(writeContentRange(null, 100)).toBe("bytes */100");
});
