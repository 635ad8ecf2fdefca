// A PHP site as an app: static files by us, scripts by PHP, a front controller for the rest.
import { resolve } from "node:path";
import {
  type Answer,
  type App,
  type Backend,
  encodePath,
  type HttpRequest,
  parseUpstreamAddress,
  rawPath,
  redirect,
  text,
  toBytes,
  toText,
} from "@gw/core";
import { fileAnswer } from "@gw/core/node";
import { checkPhpStart, checkScriptFolders } from "../check-options.ts";
import { FastcgiClient } from "../client/client.ts";
import { FastcgiError } from "../client/errors.ts";
import { byteVariables, refuseSocket } from "../client/fastcgi.ts";
import { warnOfClosedFolder } from "./closed-folder.ts";
import { type Entry, type FoundScript, findScript, Site } from "./find-script.ts";
import { LiveAddresses } from "./live-addresses.ts";
import type { PhpFpmOptions } from "./options.ts";
import { isBelow } from "./script-text.ts";
import { DEFAULT_MAX_CHILDREN, phpSpec } from "./start-php.ts";

/**
 * Serves a PHP site below the mount: files as they are, scripts through PHP-FPM or php-cgi.
 *
 * @throws FastcgiError `GW_FCGI_OPTION` if neither or both of `socket` and `start` are given, or for a
 *   number that cannot be meant; GatewayError `GW_UPSTREAM_ADDRESS`
 */
export function phpFpm(options: PhpFpmOptions): App {
  const { socket = [], start = false } = options;
  const sockets = typeof socket === "string" ? [socket] : socket;
  if ((sockets.length === 0) === (start === false)) {
    throw new FastcgiError("GW_FCGI_OPTION", 'phpFpm() needs "socket", where PHP-FPM listens, or "start", one of them');
  }
  if (typeof start === "object") checkPhpStart(start);
  const site = new PhpSite(options, sockets);
  const name = options.root;
  let backend: Backend | null = null;
  return {
    handle(request) {
      refuseSocket(request);
      return site.answer(request);
    },
    async start(context) {
      if (start === false) return;
      if (context.hasSiblings === true) site.keepNoConnections();
      const [root, started] = [resolve(options.root), start === true ? {} : start];
      const spec = await phpSpec(root, started);
      await warnOfClosedFolder(root, { command: spec.command, user: started.user, log: context.log });
      backend = await context.backends.start(spec);
      site.follow(backend);
    },
    async stop(deadline) {
      site.client.stop(deadline);
      await backend?.stop();
    },
    async reload() {
      await backend?.roll();
    },
    describe: () => ({ kind: "php", name, facts: { start: start !== false } }),
    status() {
      const { facts = {}, ...status } = site.client.status(name);
      if (backend === null) return { ...status, facts };
      return {
        name,
        state: backend.state,
        error: backend.lastError,
        facts: { ...facts, processes: backend.processes.length },
      };
    },
  };
}

/**
 * PHP-FPM with `pm = ondemand` starts one child for each time it wakes up, however many connections have come, and none while
 * one looks idle. The rest wait for a child to be free again: a kept connection never frees its own. With `dynamic` it looks
 * once a second. So connections are kept only where every child is there from the start, and never more than those
 * (docs/decisions/0014).
 */
function keptAsPhpCan(options: PhpFpmOptions): PhpFpmOptions {
  const { start = false, maxIdleConnections } = options;
  if (start === false) return { ...options, maxIdleConnections: maxIdleConnections ?? 0 };
  const { pm = "static", maxChildren = DEFAULT_MAX_CHILDREN } = start === true ? {} : start;
  const maxConnections = Math.min(options.maxConnections ?? maxChildren, maxChildren);
  return {
    ...options,
    maxConnections,
    maxIdleConnections: pm === "static" ? (maxIdleConnections ?? maxConnections) : 0,
  };
}

/** What a step of `tryFiles` found. */
type Found = Answer | Promise<Answer>;

class PhpSite {
  client: FastcgiClient;
  readonly #options: PhpFpmOptions;
  readonly #root: string;
  readonly #site: Site;
  readonly #index: readonly string[];
  readonly #split: readonly string[];
  readonly #steps: readonly string[];
  readonly #noScripts: readonly string[];
  readonly #own: Readonly<Record<string, string>>;
  readonly #live: LiveAddresses = new LiveAddresses((addresses) => this.client.useAddresses(addresses));

  constructor(options: PhpFpmOptions, sockets: readonly string[]) {
    const { index = ["index.php", "index.html"], split = [".php"], tryFiles = ["$path", "$path/", "=404"] } = options;
    this.#options = options;
    this.#root = resolve(options.root);
    this.#index = index.map(toBytes);
    this.#split = split.map(toBytes);
    this.#site = new Site(this.#root, this.#split);
    this.#noScripts = checkScriptFolders(options.noScripts ?? []).map(toBytes);
    this.#steps = tryFiles.map(checkedStep);
    this.#own = byteVariables(options.variables ?? {});
    this.client = new FastcgiClient(sockets.map(parseUpstreamAddress), keptAsPhpCan(options), this.#live);
  }

  /** PHP's children are shared with other gateway processes: a connection that one of them keeps would pin a child. */
  keepNoConnections(): void {
    this.client = new FastcgiClient([], { ...keptAsPhpCan(this.#options), maxIdleConnections: 0 }, this.#live);
  }

  /** Sends requests where the backend's processes listen. */
  follow(backend: Backend): void {
    this.#live.follow(backend);
  }

  async answer(request: HttpRequest): Promise<Answer> {
    const { path } = request;
    if (CONTROL.test(path)) throw new FastcgiError("GW_FCGI_PATH", "the path has control characters");
    for (const step of this.#steps) {
      const found = await this.#try(step, path === "" ? "/" : path, request);
      if (found !== null) return found;
    }
    return notFound;
  }

  async #try(step: string, path: string, request: HttpRequest): Promise<Found | null> {
    if (step === "$path") return this.#tryPath(path, request);
    if (step === "$path/") return this.#tryDirectory(path, request);
    if (step.startsWith("=")) return text(`${step.slice(1)}\n`, { status: Number(step.slice(1)) });
    const script = toBytes(step);
    const entry = await this.#site.entry(script);
    return isFile(entry) ? this.#run(request, { script, pathInfo: "", realPath: entry.realPath }) : null;
  }

  async #tryPath(path: string, request: HttpRequest): Promise<Found | null> {
    const script = await findScript(path, this.#split, this.#site);
    if (script !== null) return this.#run(request, script);
    return (await this.#site.entry(path))?.kind === "file" ? this.#send(request, path) : null;
  }

  async #tryDirectory(path: string, request: HttpRequest): Promise<Found | null> {
    if ((await this.#site.entry(path))?.kind !== "directory") return null;
    if (!request.path.endsWith("/")) return withSlash(request);
    for (const name of this.#index) {
      const file = path + name;
      const entry = await this.#site.entry(file);
      if (!isFile(entry)) continue;
      const script = await findScript(file, this.#split, this.#site);
      if (script !== null) return this.#run(request, script);
      if (entry.kind === "file") return this.#send(request, file);
    }
    return null;
  }

  async #send(request: HttpRequest, path: string): Promise<Answer> {
    const { files } = this.#options;
    const precompressed = files?.precompressed === true && !(await this.#hasSourceBeside(path));
    return fileAnswer(request, { ...files, precompressed, root: this.#root, path, index: [] });
  }

  /** A link `style.css.gz` could lead to a script. */
  async #hasSourceBeside(path: string): Promise<boolean> {
    const variants = await Promise.all([".br", ".zst", ".gz"].map((suffix) => this.#site.entry(path + suffix)));
    return variants.some((variant) => variant?.kind === "source");
  }

  /** Whether a script is in one of the folders without scripts: by its path, by links, by where the folder's own link leads. */
  async #mayNotRun({ script, realPath }: FoundScript): Promise<boolean> {
    for (const folder of this.#noScripts) {
      if (isBelow(script, [folder])) return true;
      const real = await this.#site.entry(folder);
      if (isBelow(realPath, real === null ? [folder] : [folder, `${real.realPath}/`.replace(/\/+$/, "/")])) return true;
    }
    return false;
  }

  async #run(request: HttpRequest, found: FoundScript): Promise<Answer> {
    if (await this.#mayNotRun(found)) return notFound;
    const { script, pathInfo } = found;
    const root = toBytes(await this.#site.realRoot());
    return this.client.answer(request, {
      scriptName: request.mount + script,
      pathInfo,
      own: {
        ...this.#own,
        DOCUMENT_ROOT: root,
        SCRIPT_FILENAME: root + script,
        REDIRECT_STATUS: "200", // php-cgi refuses to work without
        ...(pathInfo !== "" && { PATH_TRANSLATED: root + pathInfo }),
      },
    });
  }
}

function isFile(entry: Entry | null): entry is Entry {
  return entry !== null && entry.kind !== "directory";
}

const CONTROL = /[\u0000-\u001f\u007f]/;
const notFound: Answer = text("404 Not Found\n", { status: 404 });

function checkedStep(step: string): string {
  if (/^(?:\$path\/?|\/.+|=[45][0-9]{2})$/.test(step)) return step;
  throw new FastcgiError(
    "GW_FCGI_OPTION",
    `tryFiles: found ${JSON.stringify(step)}, expected "$path", "$path/", "/script.php" or "=404"`,
  );
}

/** A relative address in the page of a directory needs the slash. One leading slash, or browsers would read a host there (R-M12). */
function withSlash(request: HttpRequest): Answer {
  const path = `${encodePath(request.mount)}${rawPath(request)}`.replace(/^[/\\]+/, "/");
  return redirect(toText(`${path}/${request.query === "" ? "" : `?${request.query}`}`), 301);
}
