import { request } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished, test, vi } from "vitest";
import { cgiProgram } from "../src/index.ts";
import { shellProgram } from "./programs.ts";
import { onEverySpawner } from "./spawners.ts";

onEverySpawner((spawner) => {
  const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;

  requires("prlimit", "nice")(
    "R-C13: limits and priority reach the program, and it is still ended as a group",
    async () => {
      const command = shellProgram(`${HEAD}; ulimit -t; ulimit -n; ulimit -f; nice`);
      const app = cgiProgram({
        spawner,
        command,
        nice: 3,
        limits: { cpuSeconds: 7, openFiles: 40, fileBytes: 1_024_000 },
      });
      expect((await request(app)).text()).toBe("7\n40\n2000\n3\n");
    },
  );

  requires("prlimit")("R-C13: a program that uses up its processor time ends in mid-answer: cut", async () => {
    const app = cgiProgram({
      spawner,
      command: shellProgram(`${HEAD}; while :; do :; done`),
      limits: { cpuSeconds: 1 },
    });
    expect((await request(app)).outcome.result).toBe("cut");
  });

  requires("setpriv", "root privileges")(
    "R-C13: a program runs as the user and group of the mount, without our other groups",
    async () => {
      const app = cgiProgram({
        spawner,
        command: "/usr/bin/env",
        args: ["sh", "-c", `${HEAD}; id -un; id -Gn`],
        user: "nobody",
      });
      expect((await request(app)).text()).toBe("nobody\nnogroup\n");
    },
  );

  test("R-C13: a gateway that is not root refuses to start with the option user", async () => {
    vi.spyOn(process, "getuid").mockReturnValue(1_000);
    onTestFinished(() => void vi.restoreAllMocks());
    await expect(request(cgiProgram({ spawner, command: "/bin/true", user: "nobody" }))).rejects.toMatchObject({
      code: "GW_CGI_OPTION",
    });
  });
});
