import { describe, expect, test } from "vitest";
import { jitiUrl, load, loadUrl, resolve, scriptUrl } from "./module-hooks.ts";

/** What `specifier`, imported by `parentURL`, becomes when the loader finds `url`. */
function resolved(specifier: string, parentURL: string | undefined, url: string): string {
  return (resolve(specifier, { parentURL }, () => ({ url, format: "module" })) as { url: string }).url;
}

describe("resolve", () => {
  const app = loadUrl("file:///app/app.ts", 2);

  test("takes the mark of a load to what is imported by a relative path", () => {
    expect(app).toBe("file:///app/app.ts?gw-load=2");
    expect(resolved("./lib.ts", app, "file:///app/lib.ts")).toBe("file:///app/lib.ts?gw-load=2");
    expect(resolved("../x/y.js", app, "file:///x/y.js")).toBe("file:///x/y.js?gw-load=2");
    expect(resolved("#lib", app, "file:///app/lib.ts")).toBe("file:///app/lib.ts?gw-load=2");
    expect(resolved("./lib.ts", scriptUrl("file:///app/script", 2), "file:///app/lib.ts")).toBe(
      "file:///app/lib.ts?gw-load=2",
    );
  });

  test("leaves packages, builtins and what carries a query of its own as they are", () => {
    expect(resolved("@gw/core", app, "file:///repo/packages/core/dist/index.js")).not.toContain("?");
    expect(resolved("node:fs", app, "node:fs")).toBe("node:fs");
    expect(resolved("./x.js", app, "file:///app/node_modules/p/x.js")).not.toContain("?");
    expect(resolved("./x.js?raw", app, "file:///app/x.js?raw")).toBe("file:///app/x.js?raw");
  });

  test("does nothing outside of a load", () => {
    expect(resolved("./lib.ts", "file:///app/app.ts", "file:///app/lib.ts")).toBe("file:///app/lib.ts");
    expect(resolved("./app.ts", undefined, "file:///app/app.ts")).toBe("file:///app/app.ts");
    expect(loadUrl("file:///a.ts", 0)).toBe("file:///a.ts");
  });

  test("takes what jiti imports from the folder of the app, not the packages linked into it", () => {
    const jiti = jitiUrl("file:///n/node_modules/jiti/lib/jiti.mjs", 3, "/app & co/");
    expect(resolved("/app & co/lib.js", jiti, "file:///app%20&%20co/lib.js")).toBe(
      "file:///app%20&%20co/lib.js?gw-load=3",
    );
    expect(
      resolved("/repo/packages/core/dist/index.js", jiti, "file:///repo/packages/core/dist/index.js"),
    ).not.toContain("?");
    expect(resolved("../dist/jiti.cjs", jiti, "file:///n/node_modules/jiti/dist/jiti.cjs")).not.toContain("?");
  });

  test("works in the loader's thread, too, where the next hook promises", async () => {
    const found = resolve("./lib.ts", { parentURL: app }, async () => ({ url: "file:///app/lib.ts" }));
    expect(await found).toEqual({ url: "file:///app/lib.ts?gw-load=2" });
  });
});

test("load reads scripts as TypeScript, and nothing else", () => {
  const formatOf = (url: string) => load(url, { format: "builtin" }, (_url, context) => context.format);
  expect(formatOf(scriptUrl("file:///app/script", 0))).toBe("module-typescript");
  expect(formatOf(scriptUrl("file:///app/script", 4))).toBe("module-typescript");
  expect(formatOf("file:///app/app.ts")).toBe("builtin");
});
