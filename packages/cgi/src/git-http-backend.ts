// git smart HTTP for a directory of repositories, through git's own CGI program.
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { App, GatewayRequest, HttpRequest } from "@gw/core";
import { CgiError } from "./errors.ts";
import { cgiProgram } from "./host.ts";
import type { ProgramOptions } from "./options.ts";

/** A directory of repositories and who may do what. */
export interface GitHttpBackendOptions extends Omit<ProgramOptions, "documentRoot" | "nph" | "queryArguments"> {
  /** Directory of the repositories: `GIT_PROJECT_ROOT`. */
  root: string;
  /** Whether every repository is served, not only those with a file `git-daemon-export-ok`. @default false */
  exportAll?: boolean;
  /** Whether logged-in users may push; requests without a principal never may. @default false */
  receivePack?: boolean;
  /** The git program. @default "git", looked for in `path` */
  git?: string;
}

/** Limits that fit a clone or push of any size: only silence ends it early. */
const GIT_LIMITS = { headerTimeoutMs: 120_000, idleTimeoutMs: 300_000, timeoutMs: 3_600_000 } as const;

/**
 * Serves clone, fetch and push (`git http-backend`), protocol version 2 included.
 *
 * Bodies are unlimited and streamed: git sends packs of any size. Wrap it in an auth layer for pushes
 * (`when(isGitPush, …)`); without one, or with `receivePack: false`, they are refused with 403.
 */
export function gitHttpBackend({
  root: directory,
  exportAll = false,
  receivePack = false,
  git = "git",
  ...options
}: GitHttpBackendOptions): App {
  const root = resolve(directory);
  const program = cgiProgram({
    cwd: root,
    ...GIT_LIMITS,
    ...options,
    command: git,
    args: ["http-backend"],
    env: { ...options.env, GIT_PROJECT_ROOT: root, ...(exportAll && { GIT_HTTP_EXPORT_ALL: "1" }) },
  });
  return {
    ...program,
    handle(request) {
      if (isGitPush(request)) allowPush(request, receivePack);
      request.exchange.maxBodyBytes = Number.POSITIVE_INFINITY;
      return program.handle(request);
    },
    async start(context) {
      const isDirectory = await stat(root).then(
        (found) => found.isDirectory(),
        () => false,
      );
      if (!isDirectory)
        throw new CgiError("GW_CGI_OPTION", `root is a directory of repositories, found none at ${root}`);
      await program.start?.(context);
    },
    describe: () => ({ kind: "git", name: root, facts: { exportAll, receivePack } }),
  };
}

/** Whether a request is part of a push: for `when(isGitPush, basicAuth(…))`, which leaves fetching open to all. */
export function isGitPush({ path, query }: Pick<GatewayRequest, "path" | "query">): boolean {
  // Decoded as git does, so that no spelling of the service slips through.
  return (
    path.endsWith("/git-receive-pack") || new URLSearchParams(query).getAll("service").includes("git-receive-pack")
  );
}

function allowPush({ principal }: Pick<HttpRequest, "principal">, receivePack: boolean): void {
  if (!receivePack) throw new CgiError("GW_CGI_PUSH_REFUSED", "these repositories take no pushes");
  if (principal === null) throw new CgiError("GW_CGI_PUSH_REFUSED", "a push needs a user who is logged in");
}
