// What a front costs that passes requests on to php-fpm: ours, bare Node, nginx, Apache, lighttpd, Caddy, npm fastcgi-client.
//
// `node fastcgi-front.ts [rounds] [requests] [fronts]`; CPU time of the front's process tree, without php-fpm's. Bounded: see BUDGET_MS.
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { type FrontLoad, loadFront } from "./load-front.ts";
import { freePort, listening, liveTime, rivalPackages, Stage } from "./processes.ts";
import { interleave, table, type Variant } from "./rounds.ts";
import { rivalVersion, versionsOf } from "./versions.ts";

const rounds = Number(process.argv[2] ?? 5);
const requests = Number(process.argv[3] ?? 3_000);
const only = process.argv[4];
const CONNECTIONS = 8;
/** Of each of the three shapes. */
const BUDGET_MS = 130_000;
const stage = new Stage();
const at = (name: string): string => join(stage.folder, name);
const socket = at("php.sock");
const root = at("www");

function site(): void {
  chmodSync(stage.folder, 0o755);
  stage.file("www/hello.php", '<?php header("Content-Length: 6"); echo "hello\\n";');
  stage.file(
    "www/up.php",
    '<?php $in = fopen("php://input", "r"); for ($n = 0; !feof($in); ) $n += strlen(fread($in, 65536)); header("Content-Length: 8"); printf("%08d", $n);',
  );
  stage.file("www/big.php", '<?php header("Content-Length: 1048576"); echo str_repeat("x", 1048576);');
}

async function phpFpm(): Promise<void> {
  const config = stage.file(
    "fpm.conf",
    `[global]\ndaemonize = no\nerror_log = ${at("fpm.log")}\n[www]\nuser = root\nlisten = ${socket}\nlisten.backlog = 512
listen.mode = 0666
pm = static\npm.max_children = 96\n`,
  );
  stage.start("php-fpm8.2", ["-R", "-y", config]);
  await listening(socket);
}

function nginxWords(port: number, isKept: boolean): string[] {
  const name = isKept ? "kept" : "default";
  const pass = isKept ? "fastcgi_pass php; fastcgi_keep_conn on;" : `fastcgi_pass unix:${socket};`;
  const config = stage.file(
    `nginx-${name}.conf`,
    `user root; daemon off; worker_processes 1; pid ${at(`${name}.pid`)}; error_log ${at("nginx.log")};
events {} http { access_log off; client_max_body_size 2m; keepalive_requests 1000000; client_body_temp_path ${at("t1")}; fastcgi_temp_path ${at("t2")};
proxy_temp_path ${at("t3")}; uwsgi_temp_path ${at("t4")}; scgi_temp_path ${at("t5")};
upstream php { server unix:${socket}; keepalive 8; }
server { listen 127.0.0.1:${port}; root ${root}; location ~ \\.php$ { include /etc/nginx/fastcgi_params;
fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; ${pass} } } }`,
  );
  return ["-c", config, "-e", at("nginx.log")];
}

function apacheWords(port: number): string[] {
  const modules = ["mpm_event", "authz_core", "env", "mime", "proxy", "proxy_fcgi"]
    .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
    .join("\n");
  const config = stage.file(
    "apache.conf",
    `${modules}\nServerRoot ${stage.folder}\nServerName localhost\nListen 127.0.0.1:${port}\nPidFile ${at("apache.pid")}
ErrorLog ${at("apache.log")}\nDocumentRoot ${root}\nTypesConfig /etc/mime.types\nMaxKeepAliveRequests 0\nUser www-data\nGroup www-data
<Directory ${root}>\nRequire all granted\n</Directory>\nSetEnv ap_trust_cgilike_cl 1\n<FilesMatch "\\.php$">\nSetHandler "proxy:unix:${socket}|fcgi://localhost"
</FilesMatch>\n`,
  );
  return ["-DFOREGROUND", "-f", config];
}

function lighttpdWords(port: number): string[] {
  const config = stage.file(
    "lighttpd.conf",
    `server.modules += ("mod_fastcgi")\nserver.document-root = "${root}"\nserver.bind = "127.0.0.1"\nserver.port = ${port}
server.max-keep-alive-requests = 1000000\nfastcgi.server = (".php" => (("socket" => "${socket}")))\n`,
  );
  return ["-D", "-f", config];
}

function caddyWords(port: number): string[] {
  const config = stage.file(
    "Caddyfile",
    `{\n\tadmin off\n\tauto_https off\n\tstorage file_system ${at("caddy")}\n}\nhttp://:${port} {\n\tbind 127.0.0.1\n\troot * ${root}
\tphp_fastcgi unix/${socket}\n}\n`,
  );
  return ["run", "--config", config, "--adapter", "caddyfile"];
}

async function fronts(): Promise<{ name: string; pid: number; port: number }[]> {
  const script = (name: string): string => join(import.meta.dirname, name);
  const ours = script("fastcgi-front-server.ts");
  const commands: readonly (readonly [string, string, (port: number) => string[]])[] = [
    ["gw: fastcgi", process.execPath, (port) => [ours, String(port), socket, root, "fastcgi"]],
    ["gw: fastcgi, no keep-alive", process.execPath, (port) => [ours, String(port), socket, root, "fresh"]],
    ["gw: phpFpm", process.execPath, (port) => [ours, String(port), socket, root, "phpFpm"]],
    ["bare Node", process.execPath, (port) => [script("rivals/node-front.mjs"), String(port), socket, root]],
    ["nginx, keepalive", "nginx", (port) => nginxWords(port, true)],
    ["nginx, default", "nginx", (port) => nginxWords(port, false)],
    ["Apache mod_proxy_fcgi", "apache2", apacheWords],
    ["lighttpd", "lighttpd", lighttpdWords],
    ["Caddy", "caddy", caddyWords],
    ["fastcgi-client", process.execPath, (port) => [script("rivals/fastcgi-client.mjs"), String(port), socket, root]],
  ];
  const started = [];
  for (const [name, command, words] of commands) {
    if (only !== undefined && !only.split(",").some((one) => name.startsWith(one))) continue;
    const port = await freePort();
    const cwd = name === "fastcgi-client" ? rivalPackages() : stage.folder;
    started.push({ name, port, pid: stage.start(command, words(port), { cwd }) });
  }
  for (const { port } of started) await listening(port);
  return started;
}

type Shape = Omit<FrontLoad, "port" | "connections" | "requests"> & { readonly share: number };

const shapes: Readonly<Record<string, Shape>> = {
  hello: { path: "/hello.php", answerBytes: 6, share: 1 },
  "1 MiB answer": { path: "/big.php", answerBytes: 1 << 20, share: 0.05 },
  "1 MiB upload": { path: "/up.php", bodyBytes: 1 << 20, answerBytes: 8, share: 0.05 },
};

interface Total {
  count: number;
  failed: number;
  seconds: number;
}

function variantsOf(all: Awaited<ReturnType<typeof fronts>>, shape: Shape, totals: Map<string, Total>): Variant[] {
  const count = Math.round(requests * shape.share);
  return all.map(({ name, pid, port }) => ({
    name,
    async measure() {
      const before = liveTime(pid);
      const { failed, seconds } = await loadFront({ ...shape, port, connections: CONNECTIONS, requests: count });
      const total = totals.get(name) ?? { count: 0, failed: 0, seconds: 0 };
      totals.set(name, {
        count: total.count + count,
        failed: total.failed + failed,
        seconds: total.seconds + seconds,
      });
      return ((liveTime(pid) - before) * 1_000) / Math.max(1, count - failed); // per answered request
    },
  }));
}

try {
  site();
  await phpFpm();
  const all = await fronts();
  const versions = versionsOf({
    php: ["php-fpm8.2", "-v"],
    nginx: ["nginx", "-v"],
    Apache: ["apache2", "-v"],
    lighttpd: ["lighttpd", "-v"],
    Caddy: ["caddy", "version"],
  });
  process.stdout.write(`${versions}, fastcgi-client ${rivalVersion("fastcgi-client")}\n`);
  process.stdout.write(
    `${CONNECTIONS} connections, ${rounds} rounds at most, of ${requests} requests (1 MiB: a twentieth)\n\n`,
  );
  for (const [title, shape] of Object.entries(shapes)) {
    const totals = new Map<string, Total>();
    const measured = await interleave(variantsOf(all, shape, totals), { rounds, warmUp: 4, budgetMs: BUDGET_MS });
    const counted = measured[0]?.values.length ?? 0;
    process.stdout.write(`## ${title}, ${counted} rounds\n\n${table(measured, "µs")}\n\n`);
    for (const [name, { count, failed, seconds }] of totals) {
      process.stdout.write(
        `${name}: ${Math.round((count - failed) / seconds)} requests/s, ${failed} of ${count} failed\n`,
      );
    }
    process.stdout.write("\n");
  }
} finally {
  stage.end();
}
