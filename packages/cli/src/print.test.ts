import { GatewayError } from "@gw/core";
import { expect, test } from "vitest";
import { errorLine, treeLines } from "./print.ts";
import { StartError } from "./usage-error.ts";

test("an expected error is one line", () => {
  expect(errorLine(new GatewayError("GW_X", 500, "port in use"))).toBe("gw: port in use");
  expect(errorLine(Object.assign(new Error("denied"), { code: "EACCES" }))).toBe("gw: denied");
  expect(errorLine("text")).toBe("gw: text");
});

test("an unexpected one comes with its stack, and so does the deepest cause when asked for", () => {
  expect(errorLine(new TypeError("bug"))).toMatch(/^gw: bug\nTypeError: bug\n {4}at /);
  const error = new StartError("cannot load app.ts", { cause: new Error("middle", { cause: new RangeError("deep") }) });
  expect(errorLine(error)).toBe("gw: cannot load app.ts");
  expect(errorLine(error, { verbose: true })).toMatch(/^gw: cannot load app.ts\nRangeError: deep\n {4}at /);
});

test("draws a pipeline as a tree", () => {
  const tree = treeLines({
    kind: "pipeline",
    name: "pipeline",
    children: [
      { kind: "layer", name: "session" },
      {
        kind: "mount",
        name: "/x",
        at: "/x",
        children: [{ kind: "cgi", name: "x.pl", facts: { command: "/x.pl", nph: false } }],
      },
    ],
  });
  expect(tree).toEqual(["pipeline", "  layer session", "  /x", "    cgi x.pl (command=/x.pl, nph=false)"]);
});
