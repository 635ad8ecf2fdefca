import { encodeText, silentLogger } from "@gw/core";
import { cutsOf } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import type { LaunchSpec } from "../launcher.ts";
import { BrokerDecoder, type BrokerEvent, inputHead, launchHead } from "./protocol.ts";

const spec: LaunchSpec = {
  command: ["/srv/안.cgi", "a b", ""],
  cwd: "/srv",
  environment: { PATH: "/bin", X: "caf\u00e9=1", EMPTY: "" },
  hasInput: false,
  log: silentLogger,
};

describe("heads", () => {
  test("a head has its length, and everything a program is started with, byte for byte", () => {
    const head = launchHead(7, spec);
    expect(Number.parseInt(head.slice(0, 8), 16)).toBe(head.length - 8);
    expect(head.slice(8).split("\0")).toEqual([
      "7",
      "n",
      "/srv",
      "3",
      "/srv/\u00ec\u0095\u0088.cgi",
      "a b",
      "",
      "PATH=/bin",
      "X=caf\u00e9=1",
      "EMPTY=",
    ]);
  });

  test("a body makes a head of its own", () => {
    expect(launchHead(8, { ...spec, hasInput: true }).slice(8, 11)).toBe("8\0b");
    expect(inputHead(8)).toBe("000000038\0i");
  });

  test("a NUL in a variable is a 400: it would become a variable of its own", () => {
    const environment = { PATH_INFO: "/x\0LD_PRELOAD=/tmp/evil.so" };
    expect(() => launchHead(1, { ...spec, environment })).toThrow(
      expect.objectContaining({ code: "GW_ENV_BYTES", status: 400 }),
    );
  });

  test.each([{ cwd: "/srv\0x" }, { command: ["/a", "b\0c"] as const }])(
    "a NUL elsewhere is our own fault: %o",
    (part) => {
      expect(() => launchHead(1, { ...spec, ...part })).toThrow(TypeError);
    },
  );
});

const told = "R s\nA 1\nL\nS 1 99\nF 2 ENOENT\nE 1 6869\nX 1 0 c -\nX 3 9 o g\nX 4 768 c -\nX 5 ? c -\nC 3\n";
const events: BrokerEvent[] = [
  { kind: "ready", socket: "s" },
  { kind: "lives", id: 1 },
  { kind: "lost" },
  { kind: "started", id: 1, pid: 99 },
  { kind: "failed", id: 2, reason: "ENOENT" },
  { kind: "errors", id: 1, bytes: Buffer.from("hi") },
  { kind: "ended", id: 1, exit: { code: 0, signal: null }, hasErrors: false, hasGroup: false },
  { kind: "ended", id: 3, exit: { code: null, signal: "SIGKILL" }, hasErrors: true, hasGroup: true },
  { kind: "ended", id: 4, exit: { code: 3, signal: null }, hasErrors: false, hasGroup: false },
  { kind: "ended", id: 5, exit: { code: null, signal: null }, hasErrors: false, hasGroup: false },
  { kind: "errors-closed", id: 3 },
];

describe("what a broker says", () => {
  test("is read the same however it is cut", () => {
    for (const chunks of cutsOf(encodeText(told))) {
      const decoder = new BrokerDecoder();
      expect(chunks.flatMap((chunk) => decoder.feed(chunk))).toEqual(events);
    }
  });

  test("a line that its death cut off is dropped, and the next one counts", () => {
    const decoder = new BrokerDecoder();
    const after = decoder.feed(encodeText("E 1 68\nR s9\n6869\nnonsense 4\nX x 0\n\nC 3\n"));
    expect(after.map(({ kind }) => kind)).toEqual(["errors", "ready", "errors-closed"]);
  });

  test("a line without end does not fill the memory", () => {
    const decoder = new BrokerDecoder();
    for (let at = 0; at < 20; at++) expect(decoder.feed(new Uint8Array(10_000).fill(97))).toEqual([]);
    expect(decoder.feed(encodeText("\nC 3\n"))).toEqual([{ kind: "errors-closed", id: 3 }]);
  });
});
