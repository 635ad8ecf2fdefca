// Real programs for the host's tests: scripts in a temporary directory.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

const made: string[] = [];

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A new directory that is gone after the tests. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "gw-cgi-"));
  made.push(directory);
  return directory;
}

/** Writes executable files into a directory: `{ "hello.sh": "#!/bin/sh\n…" }`. */
export function writePrograms(directory: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }
  return directory;
}

/** One shell program; its path. */
export function shellProgram(script: string): string {
  return join(writePrograms(temporaryDirectory(), { "program.cgi": `#!/bin/sh\n${script}\n` }), "program.cgi");
}

/** Prints the environment, one variable a line. */
export const PRINT_ENVIRONMENT = `#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
env -0 | tr '\\n\\000' '|\\n' | sort
`;

/** The variables that PRINT_ENVIRONMENT printed; the shell's own are left out. */
export function printedVariables(text: string): Record<string, string> {
  const entries = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  return Object.fromEntries(entries.filter(([name]) => name !== "_" && name !== "PWD" && name !== "SHLVL"));
}
