// Relative paths of a mount mean the gateway's own working directory, whatever folder the last program ran in.
import { join, relative } from "node:path";
import { request } from "@gw/core/testing";
import { expect } from "vitest";
import { cgiBin, cgiProgram } from "../src/index.ts";
import { temporaryDirectory, writePrograms } from "./programs.ts";
import { onEverySpawner } from "./spawners.ts";

const WHERE = String.raw`#!/bin/sh
printf 'Content-Type: text/plain\n\n%s %s %s' "$(pwd -P)" "$DOCUMENT_ROOT" "$SCRIPT_FILENAME"
`;

/** The same place, as seen from the working directory. */
const fromHere = (path: string): string => `./${relative(process.cwd(), path)}`;

onEverySpawner((spawner, { test }) => {
  test("relative command, cwd and documentRoot hold for every request, and for the next mount", async () => {
    const root = writePrograms(temporaryDirectory(), { "p.sh": WHERE, "a/.keep": "", "b/.keep": "" });
    const [a, b] = [join(root, "a"), join(root, "b")];
    const mount = (cwd: string): ReturnType<typeof cgiProgram> => {
      const [command, documentRoot] = [fromHere(join(root, "p.sh")), fromHere(root)];
      return cgiProgram({ spawner, command, cwd: fromHere(cwd), documentRoot });
    };
    const [first, second] = [mount(a), mount(b)];
    for (const [app, cwd] of [
      [first, a],
      [first, a],
      [second, b],
      [first, a],
    ] as const) {
      const answer = await request(app);
      expect([answer.status, answer.text()]).toEqual([200, `${cwd} ${root} ${join(root, "p.sh")}`]);
    }
  });

  test("so do a relative interpreter and a relative folder in path", async () => {
    const root = writePrograms(temporaryDirectory(), { "bin/show": WHERE, "cgi/x.txt": "", "elsewhere/.keep": "" });
    const bin = cgiBin({
      spawner,
      root: join(root, "cgi"),
      interpreters: { ".txt": fromHere(join(root, "bin/show")) },
    });
    const named = cgiProgram({ spawner, command: "show", path: `${fromHere(join(root, "bin"))}:/usr/bin:/bin` });
    for (let round = 0; round < 2; round++) {
      expect((await request(bin, "/x.txt")).text()).toBe(`${root}/cgi ${root}/cgi ${root}/cgi/x.txt`);
      expect((await request(named)).text()).toBe(`${root}/bin  ${root}/bin/show`);
    }
  });
});
