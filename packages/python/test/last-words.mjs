// A thread that says much and ends at once, as an interpreter does with a traceback.
import { workerData } from "node:worker_threads";

const { port, settings } = workerData;
port.postMessage(new Uint8Array([1, 2, 3]));
for (let line = 1; line <= settings.lines; line++) port.postMessage({ stream: "stderr", line: `line ${line}` });
process.on("exit", () => {
  Atomics.store(settings.ends, 0, 1);
  Atomics.notify(settings.ends, 0);
});
process.exit(1);
