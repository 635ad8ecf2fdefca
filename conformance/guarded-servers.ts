// Real web servers that ask our layers who may read a folder, with the configuration files that docs/fastcgi.md shows.
import { readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { authEndpoint, gateway } from "@gw/core";
import { serveAuthorizer } from "@gw/fastcgi";
import { serve } from "@gw/http";
import { type ClientAnswer, type ClientRequest, sendHttp1 } from "@gw/testing";
import { freePort } from "@gw-private/free-port";
import { build } from "vite";
import layers from "./layers/basic.ts";
import { launch } from "./server-process.ts";

/** A web server that guards a folder. */
export interface GuardedServer {
  readonly name: string;
  /** Programs and files that have to be there. */
  readonly needs: readonly string[];
  /** How it asks our layers. */
  readonly asks: "unix" | "tcp" | "program" | "auth_request" | "forward-auth";
  /** Writes its files and says how to start it; its log holds `user groups status` for each request. */
  prepare(place: Place): Promise<readonly [program: string, ...args: readonly string[]]>;
  /** Reads `user groups` from a line of the log, where it is not that already. */
  readLine?(line: string): string;
}

interface Place {
  readonly folder: string;
  readonly port: number;
  /** The folder that is guarded. */
  readonly documents: string;
  /** Path or port where our layers answer, or path of the program. */
  readonly decider: string;
  readonly log: string;
}

const isRoot = userInfo().uid === 0;
const modules = "/usr/lib/apache2/modules";

/** The configuration of the documentation, with its addresses replaced. */
function documented(file: string, { port, documents, decider }: Place): string {
  return readFileSync(join(import.meta.dirname, "../docs/fastcgi", file), "utf8")
    .replaceAll("8080", String(port))
    .replaceAll("/srv/www", documents)
    .replaceAll("/run/auth.sock", decider)
    .replaceAll("/usr/local/bin/gw-authorizer", decider)
    .replaceAll(/127\.0\.0\.1:(?:9001|8000|8001)/g, `127.0.0.1:${decider}`);
}

function apache(
  name: string,
  file: string,
  asks: "tcp" | "program",
  { names, change = (text) => text }: { names: readonly string[]; change?: (configuration: string) => string },
): GuardedServer {
  return {
    name,
    needs: ["apache2", ...names.map((one) => `${modules}/mod_${one}.so`)],
    asks,
    async prepare(place) {
      const loaded = ["mpm_event", "authn_core", "authz_core", "authz_user", ...names];
      const configuration = join(place.folder, "apache.conf");
      await writeFile(
        configuration,
        `${loaded.map((one) => `LoadModule ${one}_module ${modules}/mod_${one}.so`).join("\n")}
ServerName localhost
ServerRoot ${place.folder}
PidFile ${place.folder}/pid
Mutex file:${place.folder}
DefaultRuntimeDir ${place.folder}
ErrorLog ${place.folder}/error.log
LogLevel crit
Listen 127.0.0.1:${place.port}
LogFormat "%{REMOTE_USER}e %{REMOTE_GROUPS}e %>s" who
CustomLog ${place.log} who
${asks === "program" ? `FcgidIPCDir ${place.folder}\nFcgidProcessTableFile ${place.folder}/fcgid_shm` : ""}
${isRoot ? "User www-data\nGroup www-data" : ""}
${change(documented(file, place))}`,
      );
      return ["apache2", "-D", "FOREGROUND", "-f", configuration];
    },
  };
}

const lighttpd: GuardedServer = {
  name: "lighttpd",
  needs: ["lighttpd"],
  asks: "unix",
  async prepare(place) {
    const file = join(place.folder, "lighttpd.conf");
    await writeFile(
      file,
      `server.bind = "127.0.0.1"
server.upload-dirs = ("${place.folder}")
server.modules += ( "mod_accesslog" )
accesslog.filename = "${place.log}"
accesslog.format = "%{REMOTE_USER}e %{REMOTE_GROUPS}e %>s"
${documented("lighttpd-authorizer.conf", place)}`,
    );
    return ["lighttpd", "-D", "-f", file];
  },
};

const nginx: GuardedServer = {
  name: "nginx auth_request",
  needs: ["nginx"],
  asks: "auth_request",
  async prepare(place) {
    const temporary = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"].map(
      (one) => `${one}_temp_path ${place.folder}/${one};`,
    );
    const file = join(place.folder, "nginx.conf");
    await writeFile(
      file,
      `daemon off; pid ${place.folder}/pid; error_log stderr crit; ${isRoot ? "user root;" : ""} events {}
http { log_format who "$gw_user $gw_groups $status"; access_log ${place.log} who; ${temporary.join(" ")}
${documented("nginx-auth-request.conf", place)} }`,
    );
    return ["nginx", "-p", place.folder, "-c", file, "-e", "stderr"];
  },
};

const caddy: GuardedServer = {
  name: "Caddy forward_auth",
  needs: ["caddy"],
  asks: "forward-auth",
  async prepare(place) {
    const file = join(place.folder, "Caddyfile");
    const who = "{http.request.header.Remote-User} {http.request.header.Remote-Groups}";
    const body = documented("forward-auth.Caddyfile", place).replace(
      "\tforward_auth",
      `\tlog {\n\t\toutput file ${place.log}\n\t}\n\theader {\n\t\tX-Who "${who}"\n\t\tdefer\n\t}\n\tforward_auth`,
    );
    await writeFile(file, `{\n\tadmin off\n\tauto_https off\n}\n${body}`);
    return ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
  },
  readLine(line) {
    const { resp_headers: sent, status } = JSON.parse(line) as {
      resp_headers: Record<string, string[]>;
      status: number;
    };
    return `${sent["X-Who"]?.[0] ?? ""} ${status}`;
  },
};

/** Every server, by each way it has to ask. */
export const guardedServers: readonly GuardedServer[] = [
  apache("Apache mod_authnz_fcgi", "apache-authorizer.conf", "tcp", { names: ["authnz_fcgi"] }),
  apache("Apache mod_authnz_fcgi, its own Basic", "apache-authorizer.conf", "tcp", {
    names: ["auth_basic", "authnz_fcgi"],
    change: (text) =>
      text
        .replace("AuthType gw", "AuthType Basic")
        .replace("AuthName gw", "AuthName Restricted")
        .replace("CGIPassAuth On", "")
        .replace(/AuthnzFcgiCheckAuthnProvider.*/, "AuthBasicProvider gw"),
  }),
  apache("Apache mod_fcgid", "apache-fcgid-authorizer.conf", "program", { names: ["fcgid"] }),
  lighttpd,
  nginx,
  caddy,
];

/** A guarded folder with one file, `secret.txt`, and a server in front. */
export interface GuardedFolder {
  send(request: ClientRequest): Promise<ClientAnswer>;
  close(): Promise<void>;
  /** What the server knew of the user of each request, once it has ended: `user groups status`. */
  log(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

/** Starts the layers of `layers/basic.ts`, and the server that asks them. */
export async function openGuarded(server: GuardedServer): Promise<GuardedFolder> {
  const folder = await mkdtemp(join(tmpdir(), "gw-guarded-"));
  await chmod(folder, 0o777); // the log is written by Apache's user
  const documents = join(folder, "www");
  await mkdir(documents);
  await writeFile(join(documents, "secret.txt"), "the secret\n");
  const { decider, close } = await startDecider(server.asks, folder);
  const port = await freePort();
  const log = join(folder, "who.log");
  const command = await server.prepare({ folder, port, documents, decider, log });
  const running = await launch({ command, folder, port });
  return {
    send: (request) => sendHttp1(port, request),
    async close() {
      await running.stop();
      await close();
    },
    async log() {
      const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
      return lines.map((line) => server.readLine?.(line) ?? line);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What Caddy and Traefik set on every question; nginx the first three, by its configuration. */
const FORWARDED = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-method", "x-forwarded-uri"];

async function startDecider(
  asks: GuardedServer["asks"],
  folder: string,
): Promise<{ decider: string; close(): Promise<void> }> {
  if (asks === "program") return { decider: await writeProgram(folder), close: async () => {} };
  if (asks === "auth_request" || asks === "forward-auth") {
    const endpoint = authEndpoint(layers, { style: asks });
    const server = serve(gateway().mount("/auth", endpoint), {
      bind: "127.0.0.1:0",
      trustedProxies: ["127.0.0.1"],
      forwardedFields: asks === "forward-auth" ? FORWARDED : FORWARDED.slice(0, 3),
    });
    await server.ready;
    return { decider: new URL(server.url).port, close: () => server.close() };
  }
  const socket = join(folder, "auth.sock");
  const server = serveAuthorizer(layers, { listen: asks === "unix" ? `unix:${socket}` : "127.0.0.1:0" });
  await server.ready;
  const [address] = server.addresses;
  const decider = address !== undefined && "port" in address ? String(address.port) : socket;
  return { decider, close: () => server.close() };
}

/** Apache runs it as a user who may not read this repository: one file, and a Node of its own. */
async function writeProgram(folder: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: "silent",
    ssr: { noExternal: true },
    build: {
      ssr: join(import.meta.dirname, "layers/authorizer.ts"),
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: { output: { entryFileNames: "authorizer.mjs", codeSplitting: false } },
    },
  });
  await copyFile(process.execPath, join(folder, "node"));
  const program = join(folder, "authorizer");
  await writeFile(program, `#!/bin/sh\nexec ${folder}/node ${folder}/authorizer.mjs\n`, { mode: 0o755 });
  return program;
}
