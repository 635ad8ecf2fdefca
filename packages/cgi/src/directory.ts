// Which program of a directory a URL path means, and what is left of the path for it (R-C12).
import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { toTextStrict } from "@gw/core";
import { CgiError } from "./errors.ts";

/** How names in a directory become programs. */
export interface DirectoryOptions {
  /** Directory of the programs; nothing outside of it is ever run. */
  root: string;
  /** Interpreter per file extension, such as `{ ".pl": "/usr/bin/perl" }`; such files need not be executable. @default {} */
  interpreters?: Readonly<Record<string, string | readonly string[]>>;
  /** Programs that answer for a directory, first found first. @default [] */
  index?: readonly string[];
}

/** A program that was found. */
export interface FoundProgram {
  readonly kind: "program";
  /** The file after resolving links: what is run. */
  readonly file: string;
  /** Interpreter and its arguments, before the file; empty: the file itself is run. */
  readonly interpreter: readonly string[];
  /** The part of the path that names the program, a byte string: `"/tools/a.cgi"`. */
  readonly script: string;
  /** The rest of the path, a byte string: `""` or `"/…"`. */
  readonly pathInfo: string;
}

/** The path names a directory, but without the slash that makes relative links work. */
export interface DirectoryWithoutSlash {
  readonly kind: "directory";
}

/**
 * Walks the directory along the path until it meets a file; what follows is PATH_INFO.
 *
 * Names that begin with a dot are not there; links are followed as long as they stay inside.
 *
 * @param path decoded bytes below the mount, as `request.path`
 * @throws CgiError `GW_CGI_NOT_FOUND` (404); `GW_CGI_NOT_EXECUTABLE` (403)
 */
export async function findProgram(
  { root, interpreters = {}, index = [] }: DirectoryOptions,
  path: string,
): Promise<FoundProgram | DirectoryWithoutSlash> {
  const [before, ...segments] = path.split("/");
  if (before !== "") throw notFound(); // "*", of OPTIONS
  let at = root;
  for (const [position, segment] of segments.entries()) {
    if (segment === "" && position === segments.length - 1) {
      return findIndex({ root, interpreters, index }, at, path);
    }
    at = join(at, fileName(segment));
    const found = await statOrNull(at);
    if (found === null) throw notFound();
    if (found.isDirectory()) continue;
    const rest = segments.slice(position + 1);
    return checked(root, interpreters, {
      file: at,
      script: `/${segments.slice(0, position + 1).join("/")}`,
      pathInfo: rest.length === 0 ? "" : `/${rest.join("/")}`,
    });
  }
  return { kind: "directory" };
}

type Candidate = Pick<FoundProgram, "file" | "script" | "pathInfo">;

async function findIndex(
  { root, interpreters, index }: Required<DirectoryOptions>,
  directory: string,
  path: string,
): Promise<FoundProgram> {
  for (const name of index) {
    const file = join(directory, name);
    if ((await statOrNull(file))?.isFile()) {
      return checked(root, interpreters, { file, script: path + name, pathInfo: "" });
    }
  }
  throw notFound();
}

/** The program if it may be run: a regular file inside the root, executable or with an interpreter. */
async function checked(
  root: string,
  interpreters: Required<DirectoryOptions>["interpreters"],
  { file, script, pathInfo }: Candidate,
): Promise<FoundProgram> {
  const [realRoot, real] = await Promise.all([realpath(root), realpath(file)]).catch((cause: unknown) => {
    throw notFound(cause);
  });
  const isInside = real.startsWith(realRoot === sep ? sep : realRoot + sep);
  if (!isInside || !(await statOrNull(real))?.isFile()) throw notFound();
  const interpreter = [interpreters[extname(file)] ?? []].flat();
  try {
    await access(real, interpreter.length > 0 ? constants.R_OK : constants.X_OK);
  } catch (cause) {
    throw new CgiError("GW_CGI_NOT_EXECUTABLE", "the program may not be run", { cause });
  }
  return { kind: "program", file: real, interpreter, script, pathInfo };
}

/** The name of a path segment in the file system. Hidden files, dot segments and names that are no text are not there. */
function fileName(segment: string): string {
  const name = toTextStrict(segment);
  if (name === null || name === "" || name.startsWith(".") || /[\u0000-\u001f\u007f/\\]/.test(name)) throw notFound();
  return name;
}

async function statOrNull(path: string): Promise<Awaited<ReturnType<typeof stat>> | null> {
  try {
    return await stat(path);
  } catch (cause) {
    // EMFILE and EIO are our trouble, not a missing file.
    if (ABSENT.has((cause as NodeJS.ErrnoException).code ?? "")) return null;
    throw cause;
  }
}

const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EACCES"]);

function notFound(cause?: unknown): CgiError {
  return new CgiError("GW_CGI_NOT_FOUND", "there is no program at this path", { cause });
}
