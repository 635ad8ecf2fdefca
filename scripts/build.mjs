// Builds packages in the order of their dependencies: `npm run build`, or with turbo's flags: `-- --filter=@gw/http`.
// Plain JavaScript, because it also has to run on Node 20.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const turbo = createRequire(import.meta.url).resolve("turbo/bin/turbo");
const arguments_ = [turbo, "run", "build", "--output-logs=errors-only", ...process.argv.slice(2)];
const { status, stdout, stderr } = spawnSync(process.execPath, arguments_, {
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
  // turbo reports usage to its makers unless told not to.
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", FORCE_COLOR: process.stdout.isTTY ? "1" : "0" },
});
if (status === 0) {
  const count = stdout.match(/(\d+) total/)?.[1] ?? "0";
  const cached = stdout.match(/(\d+) cached/)?.[1] ?? "0";
  console.log(`packages built: ${count} (${cached} unchanged)`);
} else {
  process.stderr.write(stdout + stderr);
  process.exitCode = status ?? 1;
}
