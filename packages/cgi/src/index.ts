// @gw/cgi: be a CGI program, run CGI programs. Named exports only.
export type { DeadlineOptions } from "@gw/core";
export { type CgiBinOptions, cgiBin } from "./bin.ts";
export type { Spawner } from "./broker/spawner.ts";
export type { DirectoryOptions } from "./directory.ts";
export { CgiError, type CgiErrorCode } from "./errors.ts";
export { type GitHttpBackendOptions, gitHttpBackend, isGitPush } from "./git-http-backend.ts";
export { type CgiProgramOptions, cgiProgram } from "./host.ts";
export { inProcessLauncher } from "./in-process-launcher.ts";
export type { InheritOptions } from "./inherit.ts";
export type { Launcher, LaunchSpec, ProgramExit, RunningProgram } from "./launcher.ts";
export type { ProgramOptions } from "./options.ts";
export { type PhpCgiOptions, phpCgi } from "./php-cgi.ts";
export type { PrivilegeOptions, ResourceLimits } from "./privileges.ts";
export { type RunCgiOptions, runCgi } from "./program.ts";
export type { ProgramRunOptions } from "./program-run.ts";
export type { SlotOptions } from "./slots.ts";
