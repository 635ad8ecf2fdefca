import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { byteStringToBytes, bytesToByteString, toBytes } from "../bytes/byte-string.ts";
import { fromProcessEnvironment, parseEnvironmentBlock, toProcessEnvironment } from "./env-bytes.ts";

test("a process environment carries what is UTF-8, byte for byte", () => {
  expect(toProcessEnvironment({ A: "plain", PATH_INFO: toBytes("/안녕") })).toEqual({ A: "plain", PATH_INFO: "/안녕" });
});

test.each([
  ["PATH_INFO", "/\u00e9"],
  ["QUERY_STRING", "\u00c3"],
  ["HTTP_X", "a\0b"],
])("answers 400 to %s with %j, which Node's spawn would change", (name, value) => {
  expect(() => toProcessEnvironment({ [name]: value })).toThrow(
    expect.objectContaining({ code: "GW_ENV_BYTES", status: 400, message: expect.stringContaining(name) }),
  );
});

test("reads the text of process.env as byte strings", () => {
  expect([...fromProcessEnvironment({ A: "é", B: undefined, C: "" })]).toEqual([
    ["A", "\u00c3\u00a9"],
    ["C", ""],
  ]);
});

test("reads an environment block as /proc has it", () => {
  expect([...parseEnvironmentBlock("A=1\0B=x=y\0EMPTY=\0=hidden=1\0nothing\0C=\u00e9\0")]).toEqual([
    ["A", "1"],
    ["B", "x=y"],
    ["EMPTY", ""],
    ["C", "\u00e9"],
  ]);
  expect(parseEnvironmentBlock("").size).toBe(0);
});

test.runIf(process.platform === "linux")("a program started by Node gets the bytes that were meant", () => {
  const env = toProcessEnvironment({ PATH_INFO: toBytes("/café/안녕") });
  const block = execFileSync("/bin/cat", ["/proc/self/environ"], { env });
  const variables = parseEnvironmentBlock(bytesToByteString(block));
  expect(byteStringToBytes(variables.get("PATH_INFO") ?? "")).toEqual(new TextEncoder().encode("/café/안녕"));
});
