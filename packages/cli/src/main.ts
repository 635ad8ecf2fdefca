// The `gw` command: runs it, turns what it throws into one line and an exit code.

declare const __GW_VERSION__: string;

/** Standard output closed early (`gw fetch / | head -1`) is no failure of ours. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

async function main(argv: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process;
  if (argv[0] === "--version" || argv[0] === "-V") {
    stdout.write(`gw ${__GW_VERSION__} (node ${process.versions.node})\n`);
    return 0;
  }
  try {
    const { run } = await import("./run.ts");
    return await run(argv, { folder: process.cwd(), environment: env, stdout, stderr });
  } catch (error) {
    const { errorLine } = await import("./print.ts");
    stderr.write(`${errorLine(error, { verbose: env.GW_LOG_LEVEL === "debug" })}\n`);
    return (error as { code?: unknown } | null)?.code === "GW_USAGE" ? 2 : 1;
  }
}

const code = await main(process.argv.slice(2));
// The app may have left timers, watchers or connections behind; its answer is out and its life has ended.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
