import { describe, expect, test } from "vitest";
import { checkConfig } from "./check.ts";

const app = () => ({}) as never;

describe("checkConfig", () => {
  test("takes a configuration, a mount table, a handler or an app", () => {
    expect(checkConfig("f", { app: "./a.ts", port: 1 })).toEqual({ app: "./a.ts", port: 1 });
    expect(checkConfig("f", { "/a": "./a.ts", "/b": "cgi:./b" })).toEqual({
      mounts: { "/a": "./a.ts", "/b": "cgi:./b" },
    });
    expect(checkConfig("f", app)).toEqual({ app });
    expect(checkConfig("f", { handle: app })).toEqual({ app: { handle: app } });
  });

  test.each([
    [{ mount: {} }, 'f: unknown key "mount" (did you mean "mounts"?)'],
    [{ prot: 1 }, 'f: unknown key "prot" (did you mean "port"?)'],
    [{ mounts: { "/a": 5 } }, 'f: mounts["/a"]: found 5, expected an app or a text such as "cgi-bin:./dir"'],
    [{ use: "session" }, 'f: use: found "session", expected a list of layers'],
    [undefined, "f: no default export"],
    [7, "f: the default export is 7"],
  ])("refuses %j and names the key", (exported, message) => {
    expect(() => checkConfig("f", exported)).toThrow(message);
  });
});
