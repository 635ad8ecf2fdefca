// What a CGI request costs: our spawners and lighttpd's mod_cgi, a static C program, CPU time of everything that takes part.
//
// `node cgi.ts [connections] [megabytes]`; needs gcc and lighttpd.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "./load.ts";
import { interleave, table, type Variant } from "./rounds.ts";

const connections = Number(process.argv[2] ?? 16);
const megabytes = process.argv[3] ?? "0";
const requests = Number(process.env.REQUESTS ?? 500);
const directory = mkdtempSync(join(tmpdir(), "gw-bench-"));
const program = join(directory, "www/hello.cgi");
const running: ChildProcess[] = [];

mkdirSync(join(directory, "www"));
writeFileSync(
  join(directory, "hello.c"),
  '#include <unistd.h>\nint main(void){static const char t[]="Content-Type: text/plain\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n";write(1,t,sizeof t-1);return 0;}\n',
);
execFileSync("gcc", ["-O2", "-static", "-o", program, join(directory, "hello.c")]);

/** Processor time of a process and all below it, of ended children too, milliseconds. */
function processorTime(root: number): number {
  const stats = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, "latin1");
        return [{ pid: Number(name), fields: text.slice(text.lastIndexOf(")") + 2).split(" ") }];
      } catch {
        return [];
      }
    });
  const sum = (pid: number): number => {
    const own = stats.find((found) => found.pid === pid)?.fields.slice(11, 15) ?? [];
    const below = stats.filter(({ fields }) => fields[1] === String(pid)).map((found) => sum(found.pid));
    return [...own.map(Number), ...below].reduce((all, one) => all + one, 0);
  };
  return sum(root) * 10;
}

async function portOf(child: ChildProcess): Promise<number> {
  running.push(child);
  const line = await new Promise<Buffer>((done) => child.stdout?.once("data", done));
  return Number(line.toString());
}

async function lighttpd(): Promise<{ pid: number; port: number }> {
  const port = 20_000 + (process.pid % 20_000);
  const config = `server.modules += ("mod_cgi")\ncgi.assign = (".cgi" => "")\nserver.document-root = "${directory}/www"
server.bind = "127.0.0.1"\nserver.port = ${port}\nserver.max-keep-alive-requests = 1000000\n`;
  writeFileSync(join(directory, "lighttpd.conf"), config);
  const child = spawn("lighttpd", ["-D", "-f", join(directory, "lighttpd.conf")], { stdio: "ignore" });
  running.push(child);
  await new Promise((done) => setTimeout(done, 500));
  return { pid: child.pid as number, port };
}

const rates = new Map<string, number[]>();

function variant(name: string, { pid, port, path }: { pid: number; port: number; path: string }): Variant {
  return {
    name,
    async measure() {
      const before = processorTime(pid);
      const seconds = await load({ port, connections, requests, path });
      rates.set(name, [...(rates.get(name) ?? []), requests / seconds]);
      await new Promise((done) => setTimeout(done, 50));
      return ((processorTime(pid) - before) * 1_000) / requests;
    },
  };
}

try {
  const variants: Variant[] = [variant("lighttpd mod_cgi", { ...(await lighttpd()), path: "/hello.cgi" })];
  for (const spawner of ["python", "node", "inprocess"]) {
    const script = join(import.meta.dirname, "cgi-server.ts");
    const child = spawn(process.execPath, [script, spawner, program, megabytes], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    variants.push(variant(`spawner ${spawner}`, { pid: child.pid as number, port: await portOf(child), path: "/" }));
  }
  const measured = await interleave(variants, { rounds: 5, warmUp: 1 });
  const versions = `Node ${process.versions.node}, ${execFileSync("lighttpd", ["-v"], { encoding: "utf8" }).split(" ")[0]}`;
  process.stdout.write(`${versions}; ${connections} connections, ${megabytes} MB of 16 KiB Buffers\n\n`);
  process.stdout.write(`${table(measured, "µs")}\n\n`);
  for (const [name, values] of rates) {
    const sorted = [...values].sort((one, other) => one - other);
    process.stdout.write(`${name}: ${Math.round(sorted[sorted.length >> 1] as number)} requests/s\n`);
  }
} finally {
  for (const child of running) child.kill("SIGTERM");
  rmSync(directory, { recursive: true, force: true });
}
