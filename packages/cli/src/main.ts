// The `gw` command: finds the command, runs it, turns what it throws into one line and an exit code.
import { errorLine } from "./print.ts";
import { run } from "./run.ts";
import { UsageError } from "./usage-error.ts";

const LINGER_MS = 500;

run(process.argv.slice(2), {
  folder: process.cwd(),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
}).then(
  (code) => {
    process.exitCode = code;
    // The app may have left timers or watchers behind; its answer is out and its lifecycle has ended.
    setTimeout(() => process.exit(), LINGER_MS).unref();
  },
  (error: unknown) => {
    process.stderr.write(`${errorLine(error, { verbose: process.env.GW_LOG_LEVEL === "debug" })}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
    setTimeout(() => process.exit(), LINGER_MS).unref();
  },
);
