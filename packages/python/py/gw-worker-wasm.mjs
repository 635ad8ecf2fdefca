// The thread of an app that runs without a Python installed: Pyodide, with the worker's own files in it.
//
// Python blocks this thread while it waits; what comes for it lies in the port, and the flag says that something came.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { loadPyodide } from "pyodide";

const { port, flag, interrupt, app, settings, cwd, folders, env, scripts } = workerData;
const changes = new Int32Array(flag);
const nothing = new Uint8Array(0);

/** What has come and was only looked at. */
let waiting;

/** The next bytes from the gateway; empty when it has left. */
function take() {
  for (;;) {
    const seen = Atomics.load(changes, 0);
    const found = waiting ?? receiveMessageOnPort(port);
    waiting = undefined;
    if (found !== undefined) return found.message ?? nothing;
    Atomics.wait(changes, 0, seen);
  }
}

/** Whether something has come. */
function hasMore() {
  waiting ??= receiveMessageOnPort(port);
  return waiting !== undefined;
}

function send(bytes) {
  port.postMessage(bytes, [bytes.buffer]);
}

const say = (stream) => ({ batched: (line) => port.postMessage({ stream, line }) });

// Beside its package: a path may hold what a URL would need to escape.
const home = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
const pyodide = await loadPyodide({ indexURL: `${home}/`, env: { HOME: "/home/pyodide", ...env } });
pyodide.setStdout(say("stdout"));
pyodide.setStderr(say("stderr"));
pyodide.setInterruptBuffer(new Uint8Array(interrupt));

for (const folder of new Set([cwd, ...folders])) {
  pyodide.FS.mkdirTree(folder);
  pyodide.mountNodeFS(folder, folder);
}
// Beside the app's folders, and not in one of them: where the package is installed may lie below the app.
const modules = "/usr/lib/gw";
pyodide.FS.mkdirTree(modules);
for (const name of readdirSync(scripts)) {
  if (name.endsWith(".py")) pyodide.FS.writeFile(join(modules, name), readFileSync(join(scripts, name)));
}

pyodide.FS.chdir(cwd);
pyodide.globals.set("gw_port", { take, hasMore, send });
pyodide.globals.set("gw_words", pyodide.toPy([modules, app, JSON.stringify(settings), folders]));
const code = pyodide.runPython(`
import sys
sys.path.insert(0, gw_words[0])
import gw_worker_wasm
gw_worker_wasm.main(gw_port, *gw_words[1:])
`);
process.exit(code);
