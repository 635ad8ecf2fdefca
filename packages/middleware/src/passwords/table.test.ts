import { hashSync } from "bcryptjs";
import { expect, onTestFinished, test, vi } from "vitest";
import { RememberedSuccesses } from "./remembered.ts";
import { schemeOf } from "./scheme.ts";
import { UserTable } from "./table.ts";

const check = (table: UserTable, user: string, password: string) =>
  table.check(user, password, new RememberedSuccesses(), true);

test("gives the groups of who has the right password", () => {
  const table = new UserTable([["ann", { password: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", groups: ["staff"] }]]);
  expect(check(table, "ann", "myPassword")).toEqual(["staff"]);
  expect(check(table, "ann", "other")).toBe(null);
  expect(check(table, "Ann", "myPassword")).toBe(null);
  expect(check(new UserTable([]), "ann", "x")).toBe(null);
});

test("names of the prototype are no users", () => {
  expect(check(new UserTable(Object.entries({})), "__proto__", "x")).toBe(null);
  expect(check(new UserTable(Object.entries({})), "constructor", "x")).toBe(null);
});

test("R-M2: plain passwords count only when asked for", () => {
  expect(() => new UserTable([["ann", { password: "hunter2" }]])).toThrow(/user "ann"/);
  const table = new UserTable([["ann", { password: "hunter2" }]], true);
  expect(check(table, "ann", "hunter2")).toEqual([]);
  expect(check(table, "ann", "hunter3")).toBe(null);
});

test.each([
  ["rqXexS6ZhobKA", "DES"],
  ["_J9..rasmBYk8r9AiWNc", "BSDi DES"],
  ["$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "MD5"],
  ["$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", "SHA-256"],
  ["$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO", "SHA-512"],
  ["$y$j9T$abc$def", "yescrypt"],
  ["$md5,rounds=5000$x$y", "no known kind"],
  ["$pbkdf2-sha256$29000$x$y", "another hash"],
  ["{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "LDAP"],
])("R-M2: %s is refused with what it is and what is allowed, and is nobody's password", (password, what) => {
  const expected = new RegExp(`user "ann": expected a hash by bcrypt, argon2, scrypt, apr1, {SHA}; found .*${what}`);
  expect(() => new UserTable([["ann", { password }]])).toThrow(expected);
  if (what === "no known kind") return;
  expect(() => new UserTable([["ann", { password }]], true)).toThrow(expected);
});

test("R-M1: an unknown user costs the work of a wrong password", () => {
  const hash = hashSync("right", 8);
  const table = new UserTable([["ann", { password: hash }]]);
  const verify = vi.spyOn(schemeOf(hash), "verify");
  onTestFinished(() => verify.mockRestore());
  const workFor = (user: string): readonly unknown[] => {
    verify.mockClear();
    expect(check(table, user, "wrong")).toBe(null);
    return verify.mock.calls;
  };
  expect(workFor("ann")).toEqual([["wrong", hash, true]]);
  expect(workFor("eve")).toEqual([["wrong", hash, true]]);
});
