// What a FastCGI responder costs: ours, bare Node, libfcgi, Go, Perl, npm node-fastcgi; CPU time of the responder's process tree.
//
// `node fastcgi-responder.ts [rounds] [requests] [shapes]`, bounded: see BUDGET_MS; needs gcc, libfcgi-dev, go, libfcgi-perl, nginx.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { load } from "./load.ts";
import { type FastcgiLoad, loadFastcgi } from "./load-fastcgi.ts";
import { freePort, listening, liveTime, rivalPackages, Stage } from "./processes.ts";
import { interleave, table } from "./rounds.ts";
import { rivalVersion, versionsOf } from "./versions.ts";

const rounds = Number(process.argv[2] ?? 5);
const requests = Number(process.argv[3] ?? 6_000);
const only = process.argv[4];
const CONNECTIONS = 8;
/** Of each of the eight shapes. */
const BUDGET_MS = 50_000;
const stage = new Stage();
const at = (name: string): string => join(stage.folder, name);
const rival = (name: string): string => join(import.meta.dirname, "rivals", name);

interface Responder {
  readonly name: string;
  readonly pid: number;
  readonly socket: string;
}

function build(): void {
  execFileSync("gcc", ["-O2", "-o", at("libfcgi"), rival("fastcgi.c"), "-lfcgi"]);
  execFileSync("go", ["build", "-o", at("go-fcgi"), rival("fastcgi.go")]);
}

/** One process each for Node; libfcgi and Perl serve one connection at a time, so they get as many as there are. */
async function responders(): Promise<Responder[]> {
  const processes = String(CONNECTIONS);
  const started = [
    ["gw", process.execPath, join(import.meta.dirname, "fastcgi-server.ts")],
    ["bare Node", process.execPath, rival("node-responder.mjs")],
    ["libfcgi", at("libfcgi")],
    ["Go net/http/fcgi", at("go-fcgi")],
    ["Perl FCGI", "perl", rival("fastcgi.pl")],
    ["node-fastcgi", process.execPath, rival("fastcgi.mjs")],
  ].map(([name = "", command = "", ...words], index) => {
    const socket = at(`${index}.sock`);
    const cwd = name === "node-fastcgi" ? rivalPackages() : stage.folder;
    return { name, socket, pid: stage.start(command, [...words, socket, processes], { cwd }) };
  });
  for (const { socket } of started) await listening(socket);
  return started;
}

/** nginx with one location per responder, `/0/` to `/5/`, and the same with `k` before it for kept connections. */
async function nginx(all: readonly Responder[]): Promise<number> {
  const port = await freePort();
  const params = ["QUERY_STRING", "REQUEST_METHOD", "CONTENT_TYPE", "CONTENT_LENGTH", "REQUEST_URI", "SERVER_PROTOCOL"]
    .map((name) => `fastcgi_param ${name} $${name.toLowerCase()};`)
    .join(" ");
  const upstreams = all.map(({ socket }, index) => `upstream u${index} { server unix:${socket}; keepalive 8; }`);
  const locations = all.flatMap(({ socket }, index) => [
    `location /${index}/ { fastcgi_pass unix:${socket}; }`,
    `location /k${index}/ { fastcgi_pass u${index}; fastcgi_keep_conn on; }`,
  ]);
  const config = stage.file(
    "nginx.conf",
    `user root; daemon off; worker_processes 1; pid ${at("nginx.pid")}; error_log ${at("nginx.log")};
events {} http { access_log off; keepalive_requests 1000000; client_max_body_size 2m; client_body_temp_path ${at("t1")};
fastcgi_temp_path ${at("t2")}; proxy_temp_path ${at("t3")}; uwsgi_temp_path ${at("t4")}; scgi_temp_path ${at("t5")};
${upstreams.join("\n")} server { listen 127.0.0.1:${port}; ${params}
fastcgi_param SERVER_NAME localhost; fastcgi_param SERVER_PORT 80; fastcgi_param SCRIPT_NAME ""; fastcgi_param PATH_INFO $uri;
${locations.join("\n")} } }`,
  );
  stage.start("nginx", ["-c", config, "-e", at("nginx.log")]);
  await listening(port);
  return port;
}

type Shape = Omit<FastcgiLoad, "socket" | "requests" | "connections"> & { share: number };

const shapes: Readonly<Record<string, Shape>> = {
  "hello, kept connections": { keepConnection: true, answerBytes: 6, share: 1 },
  "hello, a connection per request": { keepConnection: false, answerBytes: 6, share: 1 },
  "1 MiB answer, kept": { keepConnection: true, query: "big", answerBytes: 1 << 20, share: 0.05 },
  "1 MiB answer, a connection per request": { keepConnection: false, query: "big", answerBytes: 1 << 20, share: 0.05 },
  "1 MiB request body, kept": { keepConnection: true, bodyBytes: 1 << 20, answerBytes: 8, share: 0.05 },
  "1 MiB request body, a connection per request": {
    keepConnection: false,
    bodyBytes: 1 << 20,
    answerBytes: 8,
    share: 0.05,
  },
};

async function measure(
  title: string,
  all: readonly Responder[],
  run: (one: Responder, index: number) => Promise<{ count: number; failed: number }>,
): Promise<void> {
  const totals = new Map<string, { failed: number; seconds: number; count: number }>();
  const variants = all.map((one, index) => ({
    name: one.name,
    async measure() {
      const [before, begun] = [liveTime(one.pid), performance.now()];
      const { count, failed } = await run(one, index);
      const total = totals.get(one.name) ?? { failed: 0, seconds: 0, count: 0 };
      totals.set(one.name, {
        failed: total.failed + failed,
        seconds: total.seconds + (performance.now() - begun) / 1_000,
        count: total.count + count,
      });
      return ((liveTime(one.pid) - before) * 1_000) / Math.max(1, count - failed); // per answered request
    },
  }));
  const measured = await interleave(variants, { rounds, warmUp: 4, budgetMs: BUDGET_MS });
  process.stdout.write(`## ${title}, ${measured[0]?.values.length ?? 0} rounds\n\n${table(measured, "µs")}\n\n`);
  for (const [name, { failed, seconds, count }] of totals) {
    process.stdout.write(`${name}: ${Math.round(count / seconds)} requests/s, ${failed} of ${count} failed\n`);
  }
  process.stdout.write("\n");
}

try {
  build();
  const all = await responders();
  const versions = versionsOf({
    Go: ["go", "version"],
    Perl: ["perl", "-e", "print $^V"],
    "Perl FCGI": ["perl", "-MFCGI", "-e", "print $FCGI::VERSION"],
    libfcgi: ["dpkg-query", "-W", "libfcgi-dev"],
    nginx: ["nginx", "-v"],
  });
  process.stdout.write(`${versions}, node-fastcgi ${rivalVersion("node-fastcgi")}\n`);
  process.stdout.write(`${CONNECTIONS} connections, ${rounds} rounds of ${requests} requests\n\n`);
  for (const [title, { share, ...shape }] of Object.entries(shapes)) {
    if (only !== undefined && !title.includes(only)) continue;
    const count = Math.round(requests * share);
    await measure(title, all, async ({ socket }) => ({
      count,
      failed: await loadFastcgi({ ...shape, socket, connections: CONNECTIONS, requests: count }),
    }));
  }
  const port = await nginx(all);
  for (const [title, prefix] of [
    ["behind nginx, kept connections", "/k"],
    ["behind nginx, a connection per request", "/"],
  ] as const) {
    if (only !== undefined && !title.includes(only)) continue;
    await measure(title, all, async (_one, index) => {
      await load({ port, connections: CONNECTIONS, requests, path: `${prefix}${index}/` });
      return { count: requests, failed: 0 };
    });
  }
} finally {
  stage.end();
}
