// What went wrong when a module was loaded, in one line with its place.
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { shortPath } from "../short-path.ts";

/** `SyntaxError: Unexpected token ';' (app.mjs:2)`. `file`: the module that was asked for. */
export async function loadErrorText(error: unknown, file: string): Promise<string> {
  const place = placeIn(error) ?? (error instanceof SyntaxError ? await placeOfSyntaxError(file) : null);
  return `${messageOf(error)}${place === null ? "" : ` (${shortPath(place.file)}:${place.line})`}`;
}

interface Place {
  readonly file: string;
  readonly line: string;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${JSON.stringify(error)}`;
  const { name } = error;
  const [first, from] = error.message.split("\n") as [string, string?];
  const parse = /^ParseError: (.*)/.exec(first); // jiti's own
  if (parse !== null) return `SyntaxError: ${(parse[1] as string).trim()}`;
  if (isMissingModule(error)) return first + importerOf(error);
  const isBare = name === "Error" || first.startsWith(`${name}:`);
  return isBare ? first || (from ?? name) : `${name}: ${first}`;
}

/** Whether something that is imported is not there; Node has a code for `import` and one for `require`. */
function isMissingModule(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}

/** `require` says who asked below the message; `import` in it. */
function importerOf({ message }: Error): string {
  const importer = /\nRequire stack:\n- (.+)/.exec(message)?.[1];
  return importer === undefined ? "" : ` imported from ${importer}`;
}

/** The first place in a file of the user's: from jiti's parser, or from the stack. */
function placeIn(error: unknown): Place | null {
  if (!(error instanceof Error) || isMissingModule(error)) return null;
  const parsed = /^ParseError: .*\n\s*(.+):(\d+):\d+$/.exec(error.message);
  if (parsed !== null) return { file: parsed[1] as string, line: parsed[2] as string };
  for (const line of (error.stack ?? "").split("\n")) {
    const found = /(?:^|\s|\()((?:file:\/\/|\/|[A-Z]:\\)[^()]*?)(?:\?[^:()]*)?:(\d+)(?::\d+)?\)?$/.exec(line);
    if (found === null) continue;
    const [, where, number] = found as unknown as [string, string, string];
    if (where.includes("node_modules")) continue;
    return { file: where.startsWith("file:") ? fileURLToPath(where) : where, line: number };
  }
  return null;
}

/** Node keeps the place of a syntax error in JavaScript to itself; jiti's parser finds it again in the module itself. */
async function placeOfSyntaxError(file: string): Promise<Place | null> {
  try {
    const { createJiti } = await import("jiti");
    const source = readFileSync(file, "utf8");
    const code = createJiti(file).transform({ source, filename: file, ts: extname(file).endsWith("ts"), async: true });
    const line = /__JITI_ERROR__ = \{.*?"line":(\d+)/s.exec(code)?.[1];
    return line === undefined ? null : { file, line };
  } catch {
    return null;
  }
}
