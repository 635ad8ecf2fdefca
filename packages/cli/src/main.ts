// The `gw` command: runs it, turns what it throws into one line and an exit code.
import { keepCompiledCode } from "./compile-cache.ts";
import { isCgi } from "./query-words.ts";

declare const __GW_VERSION__: string;

/** Standard output and error, opened when something is said: each costs a CGI program, which says nothing, 2 ms. */
const stdout = { write: (text: string | Uint8Array, done?: () => void): boolean => openStdout().write(text, done) };
const stderr = { write: (text: string, done?: () => void): boolean => process.stderr.write(text, done) };

let isStdoutOpen = false;

function openStdout(): NodeJS.WriteStream {
  if (!isStdoutOpen) process.stdout.on("error", endWithReader);
  isStdoutOpen = true;
  return process.stdout;
}

/** Standard output closed early (`gw fetch / | head -1`) is no failure of ours. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === "--version" || argv[0] === "-V") {
    stdout.write(`gw ${__GW_VERSION__} (node ${process.versions.node})\n`);
    return 0;
  }
  if (argv[0] === "cgi" || isCgi(process.env)) keepCompiledCode(process.env);
  try {
    const { run } = await import("./run.ts"); // what is loaded from here on is kept
    return await run(argv, { folder: process.cwd(), environment: process.env, stdout, stderr });
  } catch (error) {
    const { errorLine } = await import("./print.ts");
    stderr.write(`${errorLine(error, { verbose: process.env.GW_LOG_LEVEL === "debug" })}\n`);
    return (error as { code?: unknown } | null)?.code === "GW_USAGE" ? 2 : 1;
  }
}

const code = await main(process.argv.slice(2));
// The app may have left timers, watchers or connections behind; its answer is out and its life has ended.
stdout.write("", () => stderr.write("", () => process.exit(code)));
