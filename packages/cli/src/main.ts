// The `gw` command: runs it, turns what it throws into one line and an exit code.
import { run } from "./run.ts";

/** Standard output closed early (`gw fetch / | head -1`) is no failure of ours. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

async function main(): Promise<number> {
  try {
    return await run(process.argv.slice(2), {
      folder: process.cwd(),
      environment: process.env,
      stdout: process.stdout,
      stderr: process.stderr,
    });
  } catch (error) {
    const { errorLine } = await import("./print.ts");
    process.stderr.write(`${errorLine(error, { verbose: process.env.GW_LOG_LEVEL === "debug" })}\n`);
    return (error as { code?: unknown } | null)?.code === "GW_USAGE" ? 2 : 1;
  }
}

const code = await main();
// The app may have left timers, watchers or connections behind; its answer is out and its life has ended.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
