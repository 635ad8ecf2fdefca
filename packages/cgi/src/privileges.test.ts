import { requires } from "@gw-private/requires";
import { expect, onTestFinished, test, vi } from "vitest";
import { type PrivilegeOptions, privilegeCommand } from "./privileges.ts";

test("nothing asked for is nothing in front of the program", () => {
  expect(privilegeCommand({})).toEqual([]);
  expect(privilegeCommand({ nice: 0, limits: {} })).toEqual([]);
});

requires("prlimit", "nice")("limits come before the priority", () => {
  expect(privilegeCommand({ nice: 5, limits: { cpuSeconds: 10, openFiles: 64 } })).toEqual([
    expect.stringMatching(/\/prlimit$/),
    "--cpu=10",
    "--nofile=64",
    "--",
    expect.stringMatching(/\/nice$/),
    "-n",
    "5",
    "--",
  ]);
});

test.each<[PrivilegeOptions, string]>([
  [{ limits: { memoryBytes: -1 } }, "limits.memoryBytes is a whole number from 0 on, found -1"],
  [
    { limits: { stack: 1 } as object },
    "limits.stack is not known; there are cpuSeconds, memoryBytes, fileBytes, openFiles, processes",
  ],
])("%j is refused with a message that names the option", (options, message) => {
  expect(() => privilegeCommand(options)).toThrow(expect.objectContaining({ code: "GW_CGI_OPTION", message }));
});

requires("setpriv", "root privileges")("a user brings his own group, and his other groups", () => {
  expect(privilegeCommand({ user: "nobody" })).toEqual([
    expect.stringMatching(/\/setpriv$/),
    expect.stringMatching(/^--reuid=\d+$/),
    expect.stringMatching(/^--regid=\d+$/),
    "--init-groups",
    "--",
  ]);
});

requires("setpriv", "root privileges")("a user who does not exist is refused", () => {
  expect(() => privilegeCommand({ user: "gw-no-such-user" })).toThrow(
    expect.objectContaining({ code: "GW_CGI_OPTION", message: expect.stringContaining('"gw-no-such-user"') }),
  );
});

requires("setpriv", "root privileges")(
  "a group that does not exist is refused, with a user and without; one that does is taken by its number",
  () => {
    for (const options of [{ group: "gw-no-such-group" }, { user: "nobody", group: "gw-no-such-group" }]) {
      expect(() => privilegeCommand(options)).toThrow(
        expect.objectContaining({
          code: "GW_CGI_OPTION",
          message: 'the option group names a group of this system, found "gw-no-such-group"',
        }),
      );
    }
    expect(privilegeCommand({ group: "root" }).slice(1)).toEqual(["--regid=0", "--clear-groups", "--"]);
  },
);

requires("setpriv", "root privileges")("a user by number without an entry needs a group", () => {
  expect(() => privilegeCommand({ user: 64_321 })).toThrow(expect.objectContaining({ code: "GW_CGI_OPTION" }));
  expect(privilegeCommand({ user: 64_321, group: 64_321 }).slice(1)).toEqual([
    "--reuid=64321",
    "--regid=64321",
    "--clear-groups",
    "--",
  ]);
});

test("another user needs root, and the error says so", () => {
  vi.spyOn(process, "getuid").mockReturnValue(1_000);
  onTestFinished(() => void vi.restoreAllMocks());
  expect(() => privilegeCommand({ user: "nobody" })).toThrow(
    expect.objectContaining({ code: "GW_CGI_OPTION", message: expect.stringContaining("runs as root") }),
  );
});
