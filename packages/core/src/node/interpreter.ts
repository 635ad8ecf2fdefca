// Finds a Python interpreter once, by asking it: a name on PATH may be a wrapper script, another version, or nothing.
import { execFile } from "node:child_process";
import { GatewayError } from "../model/errors.ts";

/** An interpreter that was asked and answered. */
export interface Interpreter {
  /** The program itself, an absolute path; never a wrapper such as pyenv's. */
  readonly path: string;
  /** `"3.11.7"` */
  readonly version: string;
}

/** Which interpreter is wanted. */
export interface FindPythonOptions {
  /** Commands or paths to try, in this order. @default ["python3", "python"] */
  candidates?: readonly string[];
  /** Least version, major and minor. @default "3.8" */
  minVersion?: string;
  /** A Python expression that must be true, with `os` and `sys` at hand. @default "True" */
  test?: string;
  /** Where names are looked for. @default our PATH and the usual directories */
  searchPath?: string;
  /** For each answer, milliseconds. @default 10_000 */
  timeoutMs?: number;
}

const USUAL_DIRECTORIES = "/usr/local/bin:/usr/bin:/bin";

/**
 * The first candidate that runs, is new enough and passes the test.
 *
 * @throws GatewayError `GW_NO_INTERPRETER` (500): names each candidate and what is wrong with it.
 */
export async function findPython({
  candidates = ["python3", "python"],
  minVersion = "3.8",
  test = "True",
  searchPath = `${process.env.PATH ?? ""}:${USUAL_DIRECTORIES}`,
  timeoutMs = 10_000,
}: FindPythonOptions = {}): Promise<Interpreter> {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    const asked = await ask(candidate, { test, searchPath, timeoutMs });
    if (typeof asked === "string") reasons.push(`${candidate}: ${asked}`);
    else if (!isAtLeast(asked.version, minVersion)) reasons.push(`${candidate}: version ${asked.version}`);
    else if (!asked.passes) reasons.push(`${candidate}: does not fulfil ${test}`);
    else return { path: asked.path, version: asked.version };
  }
  throw new GatewayError(
    "GW_NO_INTERPRETER",
    500,
    `Python ${minVersion} or newer is needed; found none (${reasons.join("; ")})`,
  );
}

interface Asked extends Interpreter {
  readonly passes: boolean;
}

/** What the candidate says of itself; text: why it says nothing. */
function ask(
  candidate: string,
  { test, searchPath, timeoutMs }: { test: string; searchPath: string; timeoutMs: number },
): Promise<Asked | string> {
  const code = `import os,sys;print(sys.executable,'%d.%d.%d'%sys.version_info[:3],int(bool(${test})),sep='\\n')`;
  // Our own environment must not decide what it finds; PATH and HOME are for wrappers.
  const env = { PATH: searchPath, HOME: process.env.HOME ?? "/" };
  return new Promise((done) => {
    execFile(candidate, ["-I", "-S", "-c", code], { env, timeout: timeoutMs }, (error, stdout) => {
      const [path = "", version = "", passes] = stdout.split("\n");
      if (error !== null) done(error.code === "ENOENT" ? "not found" : (error.message.split("\n")[0] ?? "failed"));
      else if (!path.startsWith("/") || version === "") done("gave no sensible answer");
      else done({ path, version, passes: passes === "1" });
    });
  });
}

function isAtLeast(version: string, minVersion: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = minVersion.split(".").map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
