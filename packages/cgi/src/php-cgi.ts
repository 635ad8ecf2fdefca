// A directory of PHP scripts as an app, through php-cgi: one process per request, no pool to keep.
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { App } from "@gw/core";
import { withSlash } from "./bin.ts";
import { findProgram } from "./directory.ts";
import { CgiError } from "./errors.ts";
import { absoluteCommand, findCommand, refuseSocket } from "./host.ts";
import { DEFAULT_PATH } from "./inherit.ts";
import type { ProgramOptions } from "./options.ts";
import { ProgramRunner } from "./program-runner.ts";

/** A directory of PHP scripts. */
export interface PhpCgiOptions extends Omit<ProgramOptions, "documentRoot" | "nph" | "queryArguments"> {
  /** Directory of the scripts: `DOCUMENT_ROOT`. */
  root: string;
  /** The program. @default "php-cgi", looked for in `path` */
  php?: string;
  /** Scripts that answer for a directory. @default ["index.php"] */
  index?: readonly string[];
  /** Extensions of scripts; no other file is run or sent. @default [".php"] */
  extensions?: readonly string[];
}

/**
 * Runs the PHP script that the path names; what follows it is PATH_INFO.
 *
 * The script is an existing regular file inside the root with a listed extension, whatever the path says (no
 * `/upload.jpg/x.php`). Other files are 404: put a layer for static files beside it. Settings of PHP go into a
 * `php.ini` that `env: { PHPRC: "/path/to/php.ini" }` names.
 */
export function phpCgi({
  root: directory,
  php: asked = "php-cgi",
  index = ["index.php"],
  extensions = [".php"],
  ...options
}: PhpCgiOptions): App {
  const root = resolve(directory);
  const php = absoluteCommand(asked);
  const path = options.path ?? DEFAULT_PATH;
  // cgi.force_redirect: php-cgi refuses to run unless a server says that it chose the script.
  const env = { ...options.env, REDIRECT_STATUS: "200" };
  const runner = new ProgramRunner({ ...options, env, documentRoot: root });
  const interpreters = Object.fromEntries(extensions.map((extension) => [extension, php]));
  let program: string | null = null;
  return {
    async handle(request) {
      refuseSocket(request);
      const found = await findProgram({ root, interpreters, index }, request.path);
      if (found.kind === "directory") return withSlash(request);
      if (found.interpreter.length === 0) throw new CgiError("GW_CGI_NOT_FOUND", "there is no PHP script at this path");
      program ??= await findCommand(php, path);
      return runner.run(request, {
        // The script is named by SCRIPT_FILENAME alone: nothing of the request is a command line (CVE-2012-1823).
        command: [program],
        file: found.file,
        cwd: dirname(found.file),
        scriptName: request.mount + found.script,
        pathInfo: found.pathInfo,
        nph: false,
      });
    },
    async start(context) {
      const isDirectory = await stat(root).then(
        (found) => found.isDirectory(),
        () => false,
      );
      if (!isDirectory)
        throw new CgiError("GW_CGI_OPTION", `root is a directory of PHP scripts, found none at ${root}`);
      await runner.start(context);
      await findCommand(php, path).catch((error: unknown) =>
        context.log.warn({ err: error }, `${php} cannot be run yet`),
      );
    },
    stop: (deadline) => runner.stop(deadline),
    describe: () => ({ kind: "php-cgi", name: basename(root), facts: { root } }),
    status: () => runner.status(basename(root)),
  };
}
