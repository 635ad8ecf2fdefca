import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ownCacheFolder } from "./compile-cache.ts";

function home(): string {
  const folder = mkdtempSync(join(tmpdir(), "gw-home-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("the folder of compiled code", () => {
  test("is made below home, for its user alone", () => {
    const HOME = home();
    const folder = join(HOME, ".cache/gw/compiled");
    expect(ownCacheFolder({ HOME })).toBe(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(ownCacheFolder({ HOME })).toBe(folder);
  });

  test("is where XDG_CACHE_HOME says, unless that is relative", () => {
    const HOME = home();
    expect(ownCacheFolder({ HOME, XDG_CACHE_HOME: join(HOME, "caches") })).toBe(join(HOME, "caches/gw/compiled"));
    expect(ownCacheFolder({ HOME, XDG_CACHE_HOME: "caches" })).toBe(join(HOME, ".cache/gw/compiled"));
  });

  function writableBy(mode: number): (folder: string) => void {
    return (folder) => {
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, mode);
    };
  }

  function linked(folder: string): void {
    mkdirSync(dirname(folder), { recursive: true });
    symlinkSync(home(), folder);
  }

  test.each([
    ["others can write to", writableBy(0o707)],
    ["the group can write to", writableBy(0o770)],
    ["a link leads to", linked],
  ])("is not one that %s: what lies there would be run", (_which, prepare) => {
    const HOME = home();
    prepare(join(HOME, ".cache/gw/compiled"));
    expect(ownCacheFolder({ HOME })).toBeNull();
  });

  test("is not in the home of somebody else, and not where there is no home", () => {
    const HOME = home();
    expect(ownCacheFolder({ HOME: join(HOME, "missing") })).toBeNull();
    // /proc belongs to root; to anybody else's eyes, and as root, it takes no folders.
    expect(ownCacheFolder({ HOME: "/proc" })).toBeNull();
  });
});
