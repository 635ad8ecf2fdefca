import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { testFolder } from "../../test/folder.ts";
import { HtpasswdFile, parseHtpasswd } from "./htpasswd.ts";

const SHA = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=";

test("reads names and hashes; the first of a name counts", () => {
  const text = `# users\r\nann:${SHA}\n\n  \nbob:$apr1$a$b:comment\nann:other\nödo:x\n`;
  expect([...parseHtpasswd(text)]).toEqual([
    ["ann", SHA],
    ["bob", "$apr1$a$b"],
    ["ödo", "x"],
  ]);
});

test.each(["ann", ":hash", "ann:x\nbob"])("names the line that is none: %j", (text) => {
  expect(() => parseHtpasswd(text)).toThrow(
    expect.objectContaining({
      code: "GW_HTPASSWD",
      message: expect.stringContaining(`line ${text.split("\n").length}`),
    }),
  );
});

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const open = (path: string): HtpasswdFile => new HtpasswdFile({ path, groups: {}, isPlainAllowed: false });

test("R-M2: a changed file is in force within a second; one with a fault changes nothing", () => {
  const path = join(testFolder(), "users");
  writeFileSync(path, `ann:${SHA}\n`);
  const file = open(path);
  file.load();
  expect(file.table().size).toBe(1);
  writeFileSync(`${path}.new`, `ann:${SHA}\nbob:${SHA}\n`);
  renameSync(`${path}.new`, path);
  vi.advanceTimersByTime(1_001);
  expect(file.table().size).toBe(2);
  writeFileSync(path, "ann:hunter2\n");
  vi.advanceTimersByTime(1_001);
  expect(file.table().size).toBe(2);
  rmSync(path);
  vi.advanceTimersByTime(1_001);
  expect(file.table().size).toBe(2);
});

test("a file that is missing or has a hash we cannot check is an error at start, with its name and the user's", () => {
  const path = join(testFolder(), "users");
  expect(() => open(path).load()).toThrow(
    expect.objectContaining({ code: "GW_HTPASSWD", message: expect.stringContaining(path) }),
  );
  writeFileSync(path, `ann:${SHA}\nbob:rqXexS6ZhobKA\n`);
  expect(() => open(path).load()).toThrow(/user "bob": .*crypt\(3\).*DES/);
});
