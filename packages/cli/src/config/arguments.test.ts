import { isGatewayError } from "@gw/core";
import { describe, expect, test } from "vitest";
import { parseArguments } from "./arguments.ts";

const parse = (text: string, command = "serve") =>
  parseArguments(
    command,
    text.split(" ").filter((word) => word !== ""),
  );

describe("parseArguments", () => {
  test("reads flags and operands in any order", () => {
    const line = parse("--port 0 ./app.ts -b unix:/run/gw.sock --bind=127.0.0.1:1 --no-access-log");
    expect(line.operands).toEqual(["./app.ts"]);
    expect(line.settings).toEqual({ port: 0, bind: ["unix:/run/gw.sock", "127.0.0.1:1"], accessLog: false });
  });

  test("takes the value of a short flag with and without a space", () => {
    expect(parse("-p8080").settings).toEqual({ port: 8080 });
    expect(parse("-p 8080").settings).toEqual({ port: 8080 });
    expect(parse("-p=8080").settings).toEqual({ port: 8080 });
  });

  test("ends flags at --", () => expect(parse("-- --odd.ts").operands).toEqual(["--odd.ts"]));

  test("reads times in seconds and sizes in bytes", () => {
    expect(parse("--graceful-timeout 30 --keep-alive 250ms --limit-request-body 10m").settings).toEqual({
      gracefulTimeout: 30_000,
      keepAlive: 250,
      limitRequestBody: 10_000_000,
    });
  });

  test.each([
    ["--prot 1", 'unknown flag --prot (did you mean "--port"?); `gw serve --help` lists the flags'],
    ["-z", "unknown flag -z; `gw serve --help` lists the flags"],
    ["--port", "--port needs a value: --port PORT"],
    ["--port eighty", '--port: found "eighty", expected a port from 0 (any free one) to 65535'],
    ["--http 3", '--http: found "3", allowed: auto, 1, 2'],
  ])("refuses %j in one clear line", (text, message) => {
    try {
      parse(text);
      expect.unreachable();
    } catch (error) {
      expect(isGatewayError(error, "GW_USAGE")).toBe(true);
      expect((error as Error).message).toBe(message);
    }
  });

  test("refuses a flag that belongs to another command", () => {
    expect(() => parse("--method GET")).toThrow("unknown flag --method");
    expect(parse("-X PUT -d x /", "fetch").settings).toEqual({ method: "PUT", data: "x" });
  });
});
