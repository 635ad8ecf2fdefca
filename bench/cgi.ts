// What a CGI request costs: our spawners, lighttpd, Apache mod_cgid, nginx with fcgiwrap, Go, npm `cgi`.
//
// `node cgi.ts [c|sh] [connections] [megabytes] [rounds] [requests]`; needs gcc, go and the servers. Processor time of
// host and programs; with megabytes only hosts in Node, which have a heap that can be large.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { load } from "./load.ts";
import { freePort, listening, rivalPackages, Stage } from "./processes.ts";
import { interleave, median, table, type Variant } from "./rounds.ts";

const [kind = "c", connectionsText = "16", megabytes = "0", roundsText = "5", requestsText = "300"] =
  process.argv.slice(2);
const [connections, rounds, requests] = [Number(connectionsText), Number(roundsText), Number(requestsText)];
const stage = new Stage();
const at = (name: string): string => join(stage.folder, name);
const program = at("www/hello.cgi");

const SOURCE = `#include <unistd.h>
int main(void) {
  static const char t[] = "Content-Type: text/plain\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n";
  return write(1, t, sizeof t - 1) < 0;
}
`;
const SCRIPT = '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n"\n';

function prepare(): void {
  chmodSync(stage.folder, 0o755);
  stage.file("www/hello.cgi", SCRIPT);
  chmodSync(program, 0o755);
  if (kind === "c") execFileSync("gcc", ["-O2", "-static", "-o", program, stage.file("hello.c", SOURCE)]);
  execFileSync("go", ["build", "-o", at("go-cgi"), join(import.meta.dirname, "rivals/cgi.go")]);
}

interface Host {
  readonly name: string;
  readonly pids: readonly number[];
  readonly port: number;
  readonly path: string;
  readonly stats: string | null;
}

type Start = (port: number) => readonly number[];

const node = (host: string): Start => {
  return (port) => [
    stage.start(process.execPath, [
      join(import.meta.dirname, "cgi-server.ts"),
      ...[String(port), program, host, megabytes, at(`${host}.json`)],
    ]),
  ];
};

function lighttpd(port: number): number[] {
  const config = stage.file(
    "lighttpd.conf",
    `server.modules += ("mod_cgi")\ncgi.assign = (".cgi" => "")\nserver.document-root = "${at("www")}"
server.bind = "127.0.0.1"\nserver.port = ${port}\nserver.max-keep-alive-requests = 1000000\n`,
  );
  return [stage.start("lighttpd", ["-D", "-f", config])];
}

function apache(port: number): number[] {
  const modules = ["mpm_event", "authz_core", "env", "cgid"]
    .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
    .join("\n");
  const config = stage.file(
    "apache.conf",
    `${modules}\nServerRoot ${stage.folder}\nServerName localhost\nListen 127.0.0.1:${port}\nPidFile ${at("apache.pid")}
ErrorLog ${at("apache.log")}\nDocumentRoot ${at("www")}\nMaxKeepAliveRequests 0\nUser www-data\nGroup www-data
ScriptSock ${at("cgid.sock")}\nSetEnv ap_trust_cgilike_cl 1
<Directory ${at("www")}>\nRequire all granted\nOptions ExecCGI\nSetHandler cgi-script\n</Directory>\n`,
  );
  return [stage.start("apache2", ["-DFOREGROUND", "-f", config])];
}

function nginx(port: number): number[] {
  const socket = at("fcgiwrap.sock");
  const config = stage.file(
    "nginx.conf",
    `user root; daemon off; worker_processes 1; pid ${at("nginx.pid")}; error_log ${at("nginx.log")};
events {} http { access_log off; keepalive_requests 1000000; client_body_temp_path ${at("t1")}; fastcgi_temp_path ${at("t2")};
proxy_temp_path ${at("t3")}; uwsgi_temp_path ${at("t4")}; scgi_temp_path ${at("t5")};
server { listen 127.0.0.1:${port}; root ${at("www")}; location / { include /etc/nginx/fastcgi_params;
fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:${socket}; } } }`,
  );
  return [
    stage.start("fcgiwrap", ["-c", "16", "-s", `unix:${socket}`]),
    stage.start("nginx", ["-c", config, "-e", at("nginx.log")]),
  ];
}

async function hosts(): Promise<Host[]> {
  const ours = ["python", "node", "inprocess", "npm-cgi"].map(
    (host) => [host === "npm-cgi" ? "npm cgi" : `gw, spawner "${host}"`, node(host), host] as const,
  );
  const servers = [
    ["lighttpd mod_cgi", lighttpd, null],
    ["Apache mod_cgid", apache, null],
    ["nginx and fcgiwrap", nginx, null],
    ["Go net/http/cgi", (port: number) => [stage.start(at("go-cgi"), [String(port), program])], null],
  ] as const;
  const started: Host[] = [];
  for (const [name, start, host] of [...(megabytes === "0" ? servers : []), ...ours]) {
    const port = await freePort();
    const stats = host === null ? null : at(`${host}.json`);
    started.push({ name, port, pids: start(port), path: "/hello.cgi", stats });
  }
  for (const { port } of started) await listening(port);
  return started;
}

interface Facts {
  readonly startMs: number;
  readonly startMostMs: number;
  readonly delayP99Ms: number;
  readonly delayMostMs: number;
}

/** What the main loop of a Node host went through since it was last asked. */
async function factsOf({ pids: [pid], stats }: Host): Promise<Facts | null> {
  if (stats === null) return null;
  rmSync(stats, { force: true });
  process.kill(pid as number, "SIGUSR2");
  for (let tries = 0; tries < 200; tries++) {
    await new Promise((done) => setTimeout(done, 25));
    if (existsSync(stats)) return JSON.parse(readFileSync(stats, "utf8")) as Facts;
  }
  throw new Error("no facts of a server");
}

interface Seen {
  readonly rates: number[];
  readonly latencies: number[];
  facts: Facts | null;
}

function variant(host: Host, seen: Seen): Variant {
  const time = (): number => host.pids.reduce((sum, pid) => sum + stage.time(pid), 0);
  return {
    name: host.name,
    async measure() {
      await factsOf(host);
      const before = time();
      const seconds = await load({ ...host, connections, requests, latencies: seen.latencies });
      seen.rates.push(requests / seconds);
      seen.facts = await factsOf(host);
      return ((time() - before) * 1_000) / requests;
    },
  };
}

const ms = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(value < 1 ? 3 : 1));

try {
  rivalPackages();
  prepare();
  const all = (await hosts()).map((host) => ({ host, seen: { rates: [], latencies: [], facts: null } as Seen }));
  const variants = all.map(({ host, seen }) => variant(host, seen));
  const measured = await interleave(variants, { rounds, warmUp: 1 });
  process.stdout.write(
    `Node ${process.versions.node}; program: ${kind}; ${connections} connections; ${megabytes} MB\n\n`,
  );
  process.stdout.write(`${table(measured, "µs")}\n\n`);
  process.stdout.write(
    "| | requests/s | latency, middle and 99 %, ms | start call, middle and most, ms | loop delay, 99 % and most, ms |\n",
  );
  process.stdout.write("|---|---:|---:|---:|---:|\n");
  for (const { host, seen } of all) {
    const sorted = seen.latencies.sort((one, other) => one - other);
    const [middle, late] = [sorted[sorted.length >> 1], sorted[Math.floor(sorted.length * 0.99)]];
    const { startMs, startMostMs, delayP99Ms, delayMostMs } = seen.facts ?? {};
    process.stdout.write(
      `| ${host.name} | ${Math.round(median(seen.rates))} | ${ms(middle)}, ${ms(late)} | ${ms(startMs)}, ${ms(startMostMs)} | ${ms(delayP99Ms)}, ${ms(delayMostMs)} |\n`,
    );
  }
} finally {
  stage.end();
}
