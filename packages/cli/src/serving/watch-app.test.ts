import { expect, test } from "vitest";
import type { Settings } from "../config/arguments.ts";
import type { Config } from "../config/config.ts";
import { effectiveSettings } from "../config/settings.ts";
import type { Invocation } from "../invocation.ts";
import { foldersToWatch } from "./watch-app.ts";

function folders(operand: string | undefined, flags: Settings, config?: Config): readonly string[] {
  const invocation: Partial<Invocation> = {
    folder: "/here",
    operands: operand === undefined ? [] : [operand],
    settings: effectiveSettings(flags, {}, {}),
    configFile: config === undefined ? null : { file: "/etc/gw/gw.config.ts", config },
  };
  return foldersToWatch(invocation as Invocation);
}

test("watches where the files of apps, mounts, layers and the configuration are", () => {
  expect(
    folders("./src/app.ts:admin", {
      mount: ["/x=../other/x.mjs", "/y=cgi-bin:./y"],
      use: ["./layers/a.ts?x=1", "session"],
    }),
  ).toEqual(["/here/src", "/other", "/here/layers"]);
  expect(
    folders(
      undefined,
      {},
      { app: "./app/main.ts", mounts: { "/a": { app: "./a/a.ts" }, "/b": () => ({}) as never }, use: ["./l.ts"] },
    ),
  ).toEqual(["/etc/gw/app", "/etc/gw/a", "/etc/gw"]);
});

test("watches the current folder when no file says better, and only what --reload-dir says", () => {
  expect(folders("static:./site", {})).toEqual(["/here"]);
  expect(folders("./app.ts", { reloadDir: ["/a", "/b"] })).toEqual(["/a", "/b"]);
});
