import { describe, expect, test } from "vitest";
import { splitExport } from "./file.ts";
import { parseTarget, readOptions } from "./target.ts";

const kinds = ["cgi", "cgi-bin", "git"];

describe("parseTarget", () => {
  test("tells kinds from files", () => {
    expect(parseTarget("cgi-bin:./dir?timeoutMs=5000", kinds)).toMatchObject({
      kind: "cgi-bin",
      place: "./dir",
      options: [["timeoutMs", "5000"]],
    });
    expect(parseTarget("./app.ts:admin", kinds)).toMatchObject({ kind: "file", place: "./app.ts:admin" });
    expect(parseTarget("app.ts", kinds)).toMatchObject({ kind: "file", place: "app.ts" });
  });

  test("names the kinds there are when it does not know one", () => {
    expect(() => parseTarget("cgibin:./x", kinds)).toThrow(
      'unknown kind "cgibin:" (did you mean "cgi-bin"?); allowed: a .ts or .js file, cgi:, cgi-bin:, git:',
    );
    expect(() => parseTarget("cgi:", kinds)).toThrow('nothing after "cgi:"');
  });
});

describe("readOptions", () => {
  const table = { timeoutMs: "number", env: "record", args: "list", exportAll: "switch", cwd: "text" } as const;

  test("gives numbers, switches, records and lists their types", () => {
    const target = parseTarget("cgi:./x?timeoutMs=5&env.A=1&env.B=2&args=-v&args=x&exportAll=true&cwd=/tmp", kinds);
    expect(readOptions(target, table, "/base")).toEqual({
      timeoutMs: 5,
      env: { A: "1", B: "2" },
      args: ["-v", "x"],
      exportAll: true,
      cwd: "/tmp",
    });
  });

  test("paths start from the folder of the target, alone, repeated and by name", () => {
    const paths = { cwd: "path", roots: "paths", by: "pathRecord" } as const;
    const target = parseTarget("cgi:./x?cwd=.&roots=./a&roots=/b&by./files/=../c", kinds);
    expect(readOptions(target, paths, "/base/x")).toEqual({
      cwd: "/base/x",
      roots: ["/base/x/a", "/b"],
      by: { "/files/": "/base/c" },
    });
    expect(() => readOptions(parseTarget("cgi:./x?roots=", kinds), paths, "/base")).toThrow("expected a path");
  });

  test.each([
    [
      "cgi:./x?timeout=5",
      'unknown option "timeout" (did you mean "timeoutMs"?); allowed: timeoutMs, env.NAME, args, exportAll, cwd',
    ],
    ["cgi:./x?timeoutMs=soon", 'option timeoutMs: found "soon", expected a whole number'],
    ["cgi:./x?exportAll=1", 'option exportAll: found "1", expected true or false'],
    ["cgi:./x?env=1", 'unknown option "env"'],
    ["cgi:./x?__proto__=1", 'unknown option "__proto__"'],
  ])("refuses %j and says what is allowed", (text, message) => {
    expect(() => readOptions(parseTarget(text, kinds), table, "/base")).toThrow(message);
  });
});

test("a name after the file is the export to take", () => {
  expect(splitExport("./app.ts:admin")).toEqual({ file: "./app.ts", name: "admin" });
  expect(splitExport("./app.ts")).toEqual({ file: "./app.ts", name: "default" });
  expect(splitExport("./odd:dir/app.ts")).toEqual({ file: "./odd:dir/app.ts", name: "default" });
});
