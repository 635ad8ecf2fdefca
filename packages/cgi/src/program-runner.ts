// One request through one program: body ready, slot free, environment written, process started, answer read.
import { resolve } from "node:path";
import {
  type Answer,
  type AppContext,
  bufferBody,
  type HttpRequest,
  inPhase,
  mountVariables,
  redirectedRequest,
  type SpoolStore,
  type Status,
  toBytes,
  toTextStrict,
  writeVariables,
} from "@gw/core";
import { fileSpool, processEnvironment } from "@gw/core/node";
import { launcherFor } from "./broker/spawner.ts";
import { checkOptions } from "./check-options.ts";
import { CgiError } from "./errors.ts";
import { FILES_ONLY } from "./fastcgi-launcher.ts";
import { baseEnvironment } from "./inherit.ts";
import type { Launcher, LaunchSpec } from "./launcher.ts";
import type { ProgramOptions } from "./options.ts";
import { privilegeCommand } from "./privileges.ts";
import { programAnswer } from "./program-answer.ts";
import { ProgramRun } from "./program-run.ts";
import { queryArguments } from "./query-arguments.ts";
import { Slots } from "./slots.ts";

declare const __GW_VERSION__: string;

/** What is to be run for a request. */
export interface ProgramTarget {
  /** Program, an absolute path, and its arguments. */
  readonly command: readonly string[];
  /** File of the program or script: SCRIPT_FILENAME. */
  readonly file: string;
  readonly cwd: string;
  /** SCRIPT_NAME, a byte string. */
  readonly scriptName: string;
  /** PATH_INFO, a byte string. */
  readonly pathInfo: string;
  /** Whether this program may write a whole HTTP head. */
  readonly nph: boolean;
}

/** Runs the programs of one mount. */
export class ProgramRunner {
  readonly #options: ProgramOptions;
  readonly #launcher: Launcher;
  readonly #spool: SpoolStore;
  readonly #slots: Slots;
  readonly #runs: Set<ProgramRun> = new Set();
  #fixed: FixedParts | null = null;

  /** @throws CgiError `GW_CGI_OPTION` for values that no system could fulfil. */
  constructor(options: ProgramOptions) {
    checkOptions(options);
    const { spawner = "auto", launcher = launcherFor(spawner), spool = fileSpool() } = options;
    this.#options = withAbsolutePaths(options);
    this.#launcher = launcher;
    this.#spool = spool;
    this.#slots = new Slots(options);
  }

  /** @throws CgiError `GW_CGI_OPTION` for options that this system cannot fulfil. */
  async start(context: AppContext): Promise<void> {
    this.#fixed = fixedParts(this.#options);
    const { cwd, queryArguments: wantsArguments = false } = this.#options;
    if (this.#launcher.startsFilesOnly && (this.#fixed.prefix.length > 0 || cwd !== undefined || wantsArguments)) {
      throw new CgiError("GW_CGI_OPTION", FILES_ONLY);
    }
    await this.#launcher.start?.(context);
  }

  /** Waits for programs that still run, behind answers that are out already; ends them at the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    const endAll = (): void => {
      for (const run of this.#runs) run.stop(new CgiError("GW_CGI_GONE", "the gateway stops"));
    };
    deadline.addEventListener("abort", endAll);
    if (deadline.aborted) endAll();
    await Promise.all([...this.#runs].map(({ ended }) => ended));
    deadline.removeEventListener("abort", endAll);
    await this.#launcher.stop?.(deadline);
  }

  /** How many programs run and wait. */
  status(name: string): Status {
    const { running, queued } = this.#slots;
    const facts = { running, queued, spawner: this.#launcher.name, ...this.#launcher.status?.().facts };
    return { name, state: "ready", error: null, facts };
  }

  /** Runs the program: gives its answer, or the one it redirects to inside the gateway (R-C8). */
  async run(request: HttpRequest, target: ProgramTarget): Promise<Answer> {
    // Waits for the whole body only where a program could not be told its length (R-C7).
    const ready = request.body.length === null ? await bufferBody(request, { spool: this.#spool }) : request;
    const run = await this.#start(ready, target);
    const result = await programAnswer(run, { nph: target.nph, isHead: request.method === "HEAD" });
    if (result.kind === "response") return result;
    return request.exchange.dispatch(redirectedRequest(request, result.target));
  }

  async #start(request: HttpRequest, target: ProgramTarget): Promise<ProgramRun> {
    const { body, signal, exchange } = request;
    // Asked for before anything is started: a body over the limit is refused here (R-H7).
    const input = body.length === 0 ? null : body[Symbol.asyncIterator]();
    const log = exchange.log.child({ program: target.file });
    const release = await inPhase(exchange, "queue", () => this.#slots.take(signal));
    try {
      const spec = this.#launchSpec(request, target, log);
      const program = await inPhase(exchange, "spawn", () => this.#launcher.launch(spec));
      const run = new ProgramRun({ program, input, signal, log }, this.#options);
      this.#runs.add(run);
      void run.ended.then(() => {
        this.#runs.delete(run);
        release();
      });
      return run;
    } catch (error) {
      release();
      throw error;
    }
  }

  #launchSpec(request: HttpRequest, target: ProgramTarget, log: LaunchSpec["log"]): LaunchSpec {
    this.#fixed ??= fixedParts(this.#options);
    const { environment, prefix } = this.#fixed;
    const words = this.#options.queryArguments ? textWords(queryArguments(request)) : [];
    return {
      command: [...prefix, ...target.command, ...words] as [string, ...string[]],
      cwd: this.#options.cwd ?? target.cwd,
      environment: { ...environment, ...this.#fileVariables(target), ...this.#requestVariables(request, target) },
      hasInput: request.body.length !== 0,
      log,
    };
  }

  #requestVariables(request: HttpRequest, { scriptName, pathInfo }: ProgramTarget): Record<string, string> {
    return writeVariables(request, {
      interface: "cgi",
      software: `gw/${__GW_VERSION__}`,
      scriptName,
      pathInfo,
      authorization: this.#options.authorization ?? false,
      variables: mountVariables(request),
    });
  }

  /** What servers add to RFC 3875 and programs expect: where the script and the documents are. */
  #fileVariables({ file, pathInfo }: ProgramTarget): Record<string, string> {
    const variables: Record<string, string> = { SCRIPT_FILENAME: toBytes(file) };
    const { documentRoot } = this.#options;
    if (documentRoot === undefined) return variables;
    variables.DOCUMENT_ROOT = toBytes(documentRoot);
    if (pathInfo !== "") variables.PATH_TRANSLATED = toBytes(documentRoot) + pathInfo;
    return variables;
  }
}

/** What is the same for every request. */
interface FixedParts {
  readonly environment: Readonly<Record<string, string>>;
  readonly prefix: readonly string[];
}

function fixedParts(options: ProgramOptions): FixedParts {
  return { environment: baseEnvironment(options, processEnvironment), prefix: privilegeCommand(options) };
}

/** Whoever starts processes may stand in another folder: a relative path means our own working directory, once and for all. */
function withAbsolutePaths({ cwd, documentRoot, ...options }: ProgramOptions): ProgramOptions {
  return {
    ...options,
    ...(cwd !== undefined && { cwd: resolve(cwd) }),
    ...(documentRoot !== undefined && { documentRoot: resolve(documentRoot) }),
  };
}

/** Arguments are text; words that are not are no words. */
function textWords(words: readonly string[]): string[] {
  const text = words.map(toTextStrict).filter((word) => word !== null);
  return text.length === words.length ? text : [];
}
