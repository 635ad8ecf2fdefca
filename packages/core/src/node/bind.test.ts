import { expect, test } from "vitest";
import { isGatewayError } from "../model/errors.ts";
import { type Bind, bindText, parseBind } from "./bind.ts";

const cases: readonly (readonly [text: string, bind: Bind, canonical: string])[] = [
  ["127.0.0.1:8000", { kind: "tcp", host: "127.0.0.1", port: 8000 }, "127.0.0.1:8000"],
  ["localhost:0", { kind: "tcp", host: "localhost", port: 0 }, "localhost:0"],
  ["[::1]:8000", { kind: "tcp", host: "::1", port: 8000 }, "[::1]:8000"],
  ["[fe80::1%eth0]:80", { kind: "tcp", host: "fe80::1%eth0", port: 80 }, "[fe80::1%eth0]:80"],
  [":8000", { kind: "tcp", host: null, port: 8000 }, ":8000"],
  ["*:8000", { kind: "tcp", host: null, port: 8000 }, ":8000"],
  ["8000", { kind: "tcp", host: "127.0.0.1", port: 8000 }, "127.0.0.1:8000"],
  [" 8000\n", { kind: "tcp", host: "127.0.0.1", port: 8000 }, "127.0.0.1:8000"],
  ["unix:/run/gw.sock", { kind: "unix", path: "/run/gw.sock" }, "unix:/run/gw.sock"],
  ["unix:///run/gw.sock", { kind: "unix", path: "/run/gw.sock" }, "unix:/run/gw.sock"],
  ["unix:/run/a:80", { kind: "unix", path: "/run/a:80" }, "unix:/run/a:80"],
  ["fd://3", { kind: "fd", fd: 3 }, "fd://3"],
  ["fd:0", { kind: "fd", fd: 0 }, "fd://0"],
];

test.each(cases)("reads the bind address %j, and writes it so that it reads back", (text, bind, canonical) => {
  expect(parseBind(text)).toEqual(bind);
  expect(bindText(bind)).toBe(canonical);
  expect(parseBind(canonical)).toEqual(bind);
});

test("takes a relative socket path from the working directory", () => {
  expect(parseBind("unix:gw.sock")).toEqual({ kind: "unix", path: `${process.cwd()}/gw.sock` });
});

test.each([
  "",
  "localhost",
  "127.0.0.1",
  "::1",
  "::1:8000",
  "[::1]",
  "localhost:65536",
  "localhost:-1",
  "localhost:80a",
  "http://localhost:80",
  "a/b:80",
  "unix:",
  "unix:/a\0b",
  "fd://x",
  "fd://-1",
])("refuses %j, saying what it found and what is allowed", (text) => {
  let error: unknown;
  try {
    parseBind(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(isGatewayError(error, "GW_BIND")).toBe(true);
  expect((error as Error).message).toContain(`${JSON.stringify(text)}; expected "127.0.0.1:8000"`);
});
