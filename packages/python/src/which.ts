// Finds out which interface a Python app has, by importing it once.
import { execFile } from "node:child_process";
import { workerCommand } from "./command.ts";
import { checkOptions, type PythonInterface, type PythonOptions } from "./options.ts";

/**
 * Imports the app in a process of its own and says which interface it has.
 *
 * `null` if it cannot be imported: start it as either, and the mount says why.
 *
 * @throws GatewayError `GW_PYTHON_OPTION`, `GW_NO_INTERPRETER`
 */
export async function pythonInterface(app: string, options: PythonOptions = {}): Promise<PythonInterface | null> {
  checkOptions(app, options);
  const { spec } = await workerCommand(app, "which", options);
  const [program, ...words] = spec.command;
  const timeout = options.startTimeoutMs ?? 30_000;
  return new Promise((done) => {
    execFile(
      program,
      words,
      { env: spec.env, timeout, ...(spec.cwd !== undefined && { cwd: spec.cwd }) },
      (_error, stdout) => {
        // The app may have printed before.
        const last = stdout.trimEnd().split("\n").at(-1);
        done(last === "wsgi" || last === "asgi" ? last : null);
      },
    );
  });
}
