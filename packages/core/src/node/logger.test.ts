import { describe, expect, test } from "vitest";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import { createLogger, type LoggerOptions, type LogLevel } from "./logger.ts";

function recorded(options: Omit<LoggerOptions, "destination"> = {}) {
  const lines: string[] = [];
  const log = createLogger({ ...options, destination: (line) => lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? "") as Record<string, unknown> };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("JSON lines", () => {
  test("hold level, time, the facts of parents and children in order, and the message", () => {
    const { log, lines, last } = recorded({ format: "json", facts: { pid: 7 } });
    log.child({ mount: "/app" }).child({ requestId: "r1" }).info({ status: 200 }, "done");
    expect(last()).toEqual({
      level: "info",
      time: expect.stringMatching(TIME),
      pid: 7,
      mount: "/app",
      requestId: "r1",
      status: 200,
      msg: "done",
    });
    expect(lines[0]).toMatch(
      /^\{"level":"info","time":"[^"]+","pid":7,"mount":"\/app","requestId":"r1","status":200,"msg":"done"\}\n$/,
    );
  });

  test("take a message alone, facts alone, or an error alone", () => {
    const { log, last } = recorded({ format: "json" });
    log.warn("careful");
    expect(last()).toMatchObject({ level: "warn", msg: "careful" });
    log.error({ n: 1 });
    expect(last()).not.toHaveProperty("msg");
    log.error(new TypeError("broken"));
    expect(last()).toMatchObject({ msg: "broken", err: { type: "TypeError", message: "broken" } });
  });

  test("write errors with code, status and the chain of causes", () => {
    const { log, last } = recorded({ format: "json" });
    const root = Object.assign(new Error("no such file"), { code: "ENOENT", errno: -2 });
    const error = new GatewayError("GW_X", 502, "it failed", { cause: root });
    log.error({ err: error }, "answered 502");
    expect(last()).toMatchObject({
      msg: "answered 502",
      err: {
        type: "GatewayError",
        code: "GW_X",
        status: 502,
        message: "it failed",
        stack: expect.stringContaining("logger.test.ts"),
        cause: { type: "Error", code: "ENOENT", errno: -2, message: "no such file" },
      },
    });
  });

  test("write the errors that an AggregateError gathers", () => {
    const { log, last } = recorded({ format: "json" });
    log.error(new AggregateError([new Error("one"), new Error("two")], "both"));
    expect(last()).toMatchObject({ err: { errors: [{ message: "one" }, { message: "two" }] } });
  });
});

describe("text lines", () => {
  test("hold time, level, message and facts, quoted where needed", () => {
    const { log, lines } = recorded();
    log.child({ mount: "/app" }).info({ status: 200, agent: 'a "b" c', list: [1, 2], none: null }, "it is done");
    expect(lines[0]?.slice(24)).toBe(
      ' INFO  it is done mount=/app status=200 agent="a \\"b\\" c" list=[1,2] none=null\n',
    );
    expect(lines[0]?.slice(0, 24)).toMatch(TIME);
  });

  test("show an error with its code, its place and its causes on the same line", () => {
    const { log, lines } = recorded();
    log.error({ err: new GatewayError("GW_X", 502, "it\nfailed", { cause: new RangeError("deep") }) }, "oops");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /ERROR oops err="GatewayError \[GW_X\]: it\\nfailed \(.*logger\.test\.ts.*\); caused by RangeError: deep \(.*\)"\n$/,
    );
  });

  test("have colours only when asked", () => {
    const plain = recorded();
    plain.log.info("x");
    expect(plain.lines[0]).not.toContain("\u001b");
    const coloured = recorded({ colour: true });
    coloured.log.info({ a: 1 }, "x");
    expect(coloured.lines[0]).toContain("\u001b[32mINFO \u001b[0m x");
  });
});

const hostile = "a\nb\rc\u0000d\u001b[31me\u007f\u0085\u009b2J\u2028f\u202eg\ufeffh\tend";

test.each(["json", "text"] as const)(
  "R-O13: no control byte and no direction mark gets into a %s line, wherever it stands",
  (format) => {
    const { log, lines } = recorded({ format });
    log.child({ [`key${hostile}`]: hostile }).info({ value: hostile, deep: { list: [hostile] } }, hostile);
    log.info({ err: new Error(hostile) }, "error");
    log.info(hostile);
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e\ufeff]/);
      expect(line.endsWith("\n")).toBe(true);
    }
  },
);

test("R-O13: what is said in JSON can be read back exactly", () => {
  const { log, last } = recorded({ format: "json" });
  log.info({ value: hostile }, hostile);
  expect(last()).toMatchObject({ value: hostile, msg: hostile });
});

test.each(["json", "text"] as const)("R-O13: secrets are replaced by name, at any depth (%s)", (format) => {
  const { log, lines } = recorded({ format });
  log.info({
    headers: HeaderList.from({ Authorization: "Basic hunter2", Accept: "*/*", "Set-Cookie": "sid=hunter2" }),
    request: { cookie: "hunter2", proxy_authorization: "hunter2", user: { password: "hunter2", name: "ann" } },
    access_token: "hunter2",
  });
  expect(lines[0]).not.toContain("hunter2");
  expect(lines[0]).toContain("ann");
  expect(lines[0]?.match(/\[secret\]/g)).toHaveLength(6);
});

test("never throws and stays bounded, whatever it is given", () => {
  const { log, lines, last } = recorded({ format: "json" });
  const cycle: Record<string, unknown> = { name: "cycle" };
  cycle.self = cycle;
  const nasty = {
    get boom(): never {
      throw new Error("getter");
    },
  };
  log.info({
    cycle,
    nasty,
    json: { toJSON: () => Promise.reject },
    big: 10n,
    symbol: Symbol("s"),
    nan: Number.NaN,
    missing: undefined,
    when: new Date(0),
    map: new Map([["k", 1]]),
    set: new Set([1]),
    bytes: new Uint8Array(4),
    many: Array.from({ length: 1000 }, (_, at) => at),
    long: "x".repeat(100_000),
    ["__proto__"]: "own",
  });
  expect(last()).toMatchObject({
    nasty: "[cannot be logged: Error: getter]",
    big: "10",
    symbol: "Symbol(s)",
    nan: "NaN",
    when: "1970-01-01T00:00:00.000Z",
    map: { k: 1 },
    set: [1],
    bytes: "[4 bytes]",
  });
  expect(last()).not.toHaveProperty("missing");
  expect(lines[0]?.length).toBeLessThan(10_000);
});

test("the level can be changed at run time, for parents and children alike", () => {
  const { log, lines } = recorded();
  const child = log.child({ a: 1 });
  child.debug("no");
  log.level = "debug";
  child.debug("yes");
  child.level = "silent";
  log.fatal("no");
  expect(lines).toHaveLength(1);
  expect(log.level).toBe("silent");
});

test("refuses a level it does not know, naming those there are", () => {
  const wrong = "verbose" as LogLevel;
  const message = 'a log level is one of trace, debug, info, warn, error, fatal, silent; found "verbose"';
  expect(() => createLogger({ level: wrong })).toThrow(message);
  const log = createLogger({ destination: () => {} });
  expect(() => {
    log.level = wrong;
  }).toThrow(message);
  expect(log.level).toBe("info");
});
