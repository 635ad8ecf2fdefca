// The lines of an htpasswd file: one is put in, replaced or taken out; comments and everybody else's stay as they are.
import { UsageError } from "../usage-error.ts";

/** Most bytes of a name that Apache reads. */
const MAX_NAME_BYTES = 255;

/** Checks a name that shall go into an htpasswd file. @throws UsageError for one that would be read as something else. */
export function checkUserName(user: string): void {
  const isSound = !/[:\u0000-\u001f\u007f-\u009f]/.test(user) && !/^[\s#]|\s$/.test(user);
  if (user !== "" && isSound && Buffer.byteLength(user) <= MAX_NAME_BYTES) return;
  throw new UsageError(
    `${JSON.stringify(user)} is no user name: it has no colon and no control characters, begins with neither a blank nor #, and has at most ${MAX_NAME_BYTES} bytes`,
  );
}

/** The text with the user's line replaced, or added at the end; further lines of the user, which nobody reads, go. */
export function withUser(text: string, user: string, hash: string): { text: string; isNew: boolean } {
  const lines = linesOf(text);
  const first = lines.findIndex((line) => isOf(line, user));
  const kept = lines.filter((line, at) => at === first || !isOf(line, user));
  const line = `${user}:${hash}`;
  if (first < 0) kept.push(line);
  else kept[kept.findIndex((one) => isOf(one, user))] = line;
  return { text: `${kept.join("\n")}\n`, isNew: first < 0 };
}

/** The text without the user's lines; `null` if there are none. */
export function withoutUser(text: string, user: string): string | null {
  const lines = linesOf(text);
  const kept = lines.filter((line) => !isOf(line, user));
  if (kept.length === lines.length) return null;
  return kept.length === 0 ? "" : `${kept.join("\n")}\n`;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function isOf(line: string, user: string): boolean {
  return line.startsWith(`${user}:`);
}
