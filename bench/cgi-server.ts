// The gateway under measurement: `node cgi-server.ts SPAWNER PROGRAM [megabytes]`; the megabytes are 16 KiB Buffers that stay alive.
import { cgiProgram } from "@gw/cgi";
import { serve } from "@gw/http";

const [spawner = "auto", command = "", megabytes = "0"] = process.argv.slice(2);
const kept: Buffer[] = [];
const app = cgiProgram({ command, spawner: spawner as "auto", maxProcesses: 64 });
const server = serve(app, { bind: "127.0.0.1:0" });
await server.ready;
for (let at = 0; at < Number(megabytes) * 64; at++) kept.push(Buffer.alloc(16_384, 1));
process.stdout.write(`${new URL(server.url).port}\n`);
process.on("SIGTERM", () => process.exit(kept.length >= 0 ? 0 : 1));
