// A directory of programs as an app.
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { type App, encodePath, type HttpRequest, type HttpResponse, redirect, toText } from "@gw/core";
import { type DirectoryOptions, findProgram } from "./directory.ts";
import { CgiError } from "./errors.ts";
import { absoluteCommand, refuseSocket } from "./host.ts";
import type { ProgramOptions } from "./options.ts";
import { ProgramRunner } from "./program-runner.ts";

/** A directory of programs and how they are run. */
export interface CgiBinOptions extends DirectoryOptions, ProgramOptions {}

/**
 * Runs the program that the path names: the first file on the way is the program, what follows it is PATH_INFO.
 *
 * Only executable regular files inside the directory run (R-C12), or files whose extension has an interpreter. Nothing
 * is ever sent as text.
 */
export function cgiBin({ root: directory, interpreters: asked = {}, index = [], ...options }: CgiBinOptions): App {
  const root = resolve(directory);
  const interpreters = absoluteInterpreters(asked);
  const runner = new ProgramRunner({ documentRoot: root, ...options });
  return {
    async handle(request) {
      refuseSocket(request);
      const found = await findProgram({ root, interpreters, index }, request.path);
      if (found.kind === "directory") return withSlash(request);
      return runner.run(request, {
        command: [...found.interpreter, found.file],
        file: found.file,
        cwd: dirname(found.file),
        scriptName: request.mount + found.script,
        pathInfo: found.pathInfo,
        nph: options.nph === true && basename(found.file).startsWith("nph-"),
      });
    },
    async start(context) {
      const isDirectory = await stat(root).then(
        (found) => found.isDirectory(),
        () => false,
      );
      if (!isDirectory) throw new CgiError("GW_CGI_OPTION", `root is a directory of programs, found none at ${root}`);
      await runner.start(context);
    },
    stop: (deadline) => runner.stop(deadline),
    describe: () => ({ kind: "cgi-bin", name: basename(root), facts: { root } }),
    status: () => runner.status(basename(root)),
  };
}

function absoluteInterpreters(interpreters: Required<DirectoryOptions>["interpreters"]): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(interpreters).map(([extension, command]) => {
      const [program, ...args] = [command].flat();
      return [extension, program === undefined ? [] : [absoluteCommand(program), ...args]];
    }),
  );
}

/** Sends the client to the directory's own path, where relative links work. */
export function withSlash({ mount, path, query }: HttpRequest): HttpResponse {
  return redirect(`${encodePath(mount + path)}/${query === "" ? "" : `?${toText(query)}`}`, 308);
}
