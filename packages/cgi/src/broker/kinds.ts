// The brokers there are, and what each needs of this machine.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findPython } from "@gw/core/node";

/** How processes may be started, besides in this one. */
export type BrokerKind = "python" | "node";

/** A broker that can be started here. */
export interface BrokerCommand {
  readonly command: readonly [program: string, ...args: readonly string[]];
  /** What it is, for the log: `"Python 3.11.2, /usr/bin/python3"`. */
  readonly what: string;
  /** Whether it says `S id pid` for every program, because the next one could not find them again. @default false */
  readonly tellsStart?: boolean;
}

/**
 * How to start a broker of a kind on this machine.
 *
 * @throws Error that says what is missing.
 */
export async function brokerCommand(kind: BrokerKind): Promise<BrokerCommand> {
  return kind === "python" ? pythonCommand() : nodeCommand();
}

async function pythonCommand(): Promise<BrokerCommand> {
  const script = packageFile("py/gw_broker.py");
  const { path, version } = await findPython({ test: "hasattr(os,'posix_spawn') and hasattr(os,'fork')" });
  return { command: [path, "-I", "-S", script], what: `Python ${version}, ${path}` };
}

/** A shell that starts the helper again if it dies; it ends when the helper is done. */
const KEEP_RUNNING = `trap '' HUP INT TERM QUIT USR1 USR2
until "$@"; do printf '\\nL\\n' >&3; sleep 0.1; done`;

async function nodeCommand(): Promise<BrokerCommand> {
  const script = packageFile("dist/node-helper.js");
  return {
    command: ["/bin/sh", "-c", KEEP_RUNNING, "sh", process.execPath, "--max-old-space-size=64", script],
    what: `Node ${process.versions.node}, ${process.execPath}`,
    tellsStart: true,
  };
}

/** A file of this package, seen from its sources or from what was built of them. */
function packageFile(path: string): string {
  for (const up of ["../", "../../"]) {
    const url = new URL(up + path, import.meta.url);
    if (url.protocol === "file:" && existsSync(url)) return fileURLToPath(url);
  }
  throw new Error(`${path} of @gw/cgi is missing: bundled into one file?`);
}
