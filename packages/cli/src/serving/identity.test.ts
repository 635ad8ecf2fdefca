import { describe, expect, test } from "vitest";
import { EffectiveSettings } from "../config/settings.ts";
import { become, identityOf, type PrivilegedProcess } from "./identity.ts";

const settings = (values: Record<string, string>) =>
  new EffectiveSettings(
    new Map(Object.entries(values).map(([key, value]) => [key, { value, origin: "flag" as const }])),
  );

/** A process that notes what is done to it; `refuse` names the step that fails. */
function processThat({ refuse = "", canReturn = false } = {}): PrivilegedProcess & { readonly steps: string[] } {
  const steps: string[] = [];
  const ids = { uid: 0, gid: 0 };
  const step =
    (name: string, change: (id: number) => void) =>
    (...given: unknown[]): void => {
      if (name === refuse || (name === "setuid" && ids.uid !== 0 && !canReturn)) throw new Error("EPERM");
      steps.push(`${name} ${given.join(" ")}`);
      change(given[0] as number);
    };
  return {
    steps,
    env: { HOME: "/root" },
    getuid: () => ids.uid,
    getgid: () => ids.gid,
    setgid: step("setgid", (id) => {
      ids.gid = id;
    }),
    setgroups: step("setgroups", () => {}),
    initgroups: step("initgroups", () => {}),
    setuid: step("setuid", (id) => {
      if (id !== 0) ids.uid = id;
    }),
  } as PrivilegedProcess & { readonly steps: string[] };
}

describe("R-O14: become", () => {
  test("changes group, then the other groups, then the user", () => {
    const us = processThat();
    become({ uid: 33, gid: 34, name: "www", home: "/var/www" }, us);
    expect(us.steps).toEqual(["setgid 34", "initgroups www 34", "setuid 33"]);
    expect(us.env).toEqual({ HOME: "/var/www", USER: "www", LOGNAME: "www" });
  });

  test("a user without a name has one group and keeps nothing of root's", () => {
    const us = processThat();
    become({ uid: 1234, gid: 99, name: null, home: null }, us);
    expect(us.steps).toEqual(["setgid 99", "setgroups 99", "setuid 1234"]);
  });

  test.each(["setgid", "initgroups", "setuid"])("says that %s failed", (refuse) => {
    const us = processThat({ refuse });
    expect(() => become({ uid: 33, gid: 34, name: "www", home: null }, us)).toThrow(
      "cannot become user 33, group 34: EPERM",
    );
  });

  test("refuses to serve if it could become root again", () => {
    const us = processThat({ canReturn: true });
    expect(() => become({ uid: 33, gid: 34, name: "www", home: null }, us)).toThrow("the system took it back");
  });
});

describe("identityOf", () => {
  test("is nobody when nobody is named", () => expect(identityOf(settings({}))).toBe(null));

  test("names what it does not know", () => {
    expect(() => identityOf(settings({ user: "no-such-user" }))).toThrow(
      '--user: found "no-such-user", expected a user of this system',
    );
    expect(() => identityOf(settings({ group: "no-such-group" }))).toThrow(
      '--group: found "no-such-group", expected a group of this system',
    );
  });
});
