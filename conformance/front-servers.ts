// Real web servers in front of our responder, with the configuration files that docs/fastcgi.md shows.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { AppSource } from "@gw/core";
import { type FastcgiServerOptions, serveFastcgi } from "@gw/fastcgi";
import { type OpenApp, sendHttp1 } from "@gw/testing";
import { freePort } from "@gw-private/free-port";
import { launch } from "./server-process.ts";

/** A web server to put in front. */
export interface FrontServer {
  readonly name: string;
  /** Programs that have to be there. */
  readonly needs: readonly string[];
  /** Where our responder listens for it. */
  readonly socket: "unix" | "tcp";
  /** Group of the folder of the socket, which the socket gets by the folder's set-group-id bit. */
  readonly group?: string;
  /** Writes its files and says how to start it. */
  prepare(place: Place): Promise<readonly [program: string, ...args: readonly string[]]>;
}

/** What a server's configuration is about. */
export interface Place {
  /** A folder for its files. */
  readonly folder: string;
  /** Port it is to listen on. */
  readonly port: number;
  /** Path or port of the responder. */
  readonly backend: string;
}

const documents = join(import.meta.dirname, "../docs/fastcgi");
const isRoot = userInfo().uid === 0;

/** The configuration of the documentation, with its addresses replaced. */
function documented(file: string, { port, backend }: Place): string {
  return readFileSync(join(documents, file), "utf8")
    .replaceAll("8080", String(port))
    .replaceAll("/run/app.sock", backend)
    .replaceAll("127.0.0.1:9000", `127.0.0.1:${backend}`);
}

function nginx(name: string, change: (configuration: string) => string, user = "root"): FrontServer {
  return {
    name,
    needs: ["nginx"],
    socket: "unix",
    ...(user !== "root" && { group: user }),
    async prepare(place) {
      const temporary = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"].map(
        (one) => `${one}_temp_path ${place.folder}/${one};`,
      );
      const file = join(place.folder, "nginx.conf");
      await writeFile(
        file,
        `daemon off; pid ${place.folder}/pid; error_log stderr error; ${isRoot ? `user ${user};` : ""} events {}
        http { access_log off; ${temporary.join(" ")}
        ${change(documented("nginx.conf", place))} }`,
      );
      return ["nginx", "-p", place.folder, "-c", file, "-e", "stderr"];
    },
  };
}

/** Starts Apache with some modules and a configuration of the documentation. */
async function apacheCommand(
  place: Place,
  { modules, body }: { modules: readonly string[]; body: string },
): Promise<[string, ...string[]]> {
  const lines = ["mpm_event", "authz_core", ...modules].map(
    (one) => `LoadModule ${one}_module /usr/lib/apache2/modules/mod_${one}.so`,
  );
  const file = join(place.folder, "apache.conf");
  await writeFile(
    file,
    `${lines.join("\n")}
ServerName localhost
ServerRoot ${place.folder}
PidFile ${place.folder}/pid
Mutex file:${place.folder}
DefaultRuntimeDir ${place.folder}
ErrorLog ${place.folder}/error.log
LogLevel crit
Listen 127.0.0.1:${place.port}
${isRoot ? "User www-data\nGroup www-data" : ""}
${body}`,
  );
  return ["apache2", "-D", "FOREGROUND", "-f", file];
}

const apache: FrontServer = {
  name: "Apache mod_proxy_fcgi",
  needs: ["apache2"],
  socket: "tcp",
  prepare: (place) =>
    apacheCommand(place, { modules: ["proxy", "proxy_fcgi"], body: documented("apache.conf", place) }),
};

/**
 * What mod_fcgid starts here: hands each connection that it accepts from descriptor 0 on to the responder, byte for byte.
 * The apps of the cases live in this process; a program that mod_fcgid starts runs as another user, who may not enter our folders.
 */
const BRIDGE = `#!/usr/bin/python3
import socket, sys, threading
def pass_on(source, target):
    try:
        while (piece := source.recv(65536)): target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, target):
            try: one.shutdown(socket.SHUT_RDWR)
            except OSError: pass
listener = socket.socket(fileno=0)
while True:
    peer, _ = listener.accept()
    app = socket.create_connection(("127.0.0.1", PORT))
    app.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    up = threading.Thread(target=pass_on, args=(peer, app), daemon=True)
    up.start()
    pass_on(app, peer)
    up.join()  # an early answer does not end the upload
    peer.close()
    app.close()
`;

/** Apache with mod_fcgid, which starts a program. */
function modFcgid(name: string, programOf: (place: Place) => string, needs: readonly string[] = []): FrontServer {
  return {
    name,
    needs: ["apache2", "/usr/lib/apache2/modules/mod_fcgid.so", ...needs],
    socket: "tcp",
    async prepare(place) {
      const program = join(place.folder, "app.fcgi");
      await writeFile(program, programOf(place), { mode: 0o755 });
      const body = documented("mod_fcgid.conf", place).replaceAll("/srv/app", place.folder);
      const sockets = `FcgidIPCDir ${place.folder}/sockets\nFcgidProcessTableFile ${place.folder}/table`;
      await mkdir(join(place.folder, "sockets"));
      await chmod(join(place.folder, "sockets"), 0o777);
      return apacheCommand(place, { modules: ["alias", "fcgid"], body: `${sockets}\n${body}` });
    },
  };
}

/** The command as mod_fcgid starts it, with the app of a file; what `openBehind` is given is not asked. */
export function modFcgidStarting(app: string): FrontServer {
  const command = join(import.meta.dirname, "../packages/cli/bin/gw.js");
  const program = `#!/bin/sh\nexec ${process.execPath} ${command} "$(dirname "$0")/app.mjs"\n`;
  return modFcgid("Apache mod_fcgid that starts gw", ({ folder }) => {
    writeFileSync(join(folder, "app.mjs"), app);
    return program;
  });
}

const lighttpd: FrontServer = {
  name: "lighttpd",
  needs: ["lighttpd"],
  socket: "unix",
  async prepare(place) {
    const file = join(place.folder, "lighttpd.conf");
    await writeFile(
      file,
      `server.document-root = "${place.folder}"\nserver.bind = "127.0.0.1"\nserver.upload-dirs = ("${place.folder}")\n${documented("lighttpd.conf", place)}`,
    );
    return ["lighttpd", "-D", "-f", file];
  },
};

const caddy: FrontServer = {
  name: "Caddy",
  needs: ["caddy"],
  socket: "unix",
  async prepare(place) {
    const file = join(place.folder, "Caddyfile");
    const body = documented("Caddyfile", place);
    await writeFile(file, `{\n\tadmin off\n\tauto_https off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n${body}`);
    return ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
  },
};

/** nginx whose workers are another user, as a distribution installs it; the socket is theirs as docs/fastcgi.md says. */
export const nginxAsAnotherUser: FrontServer = nginx("nginx as www-data", (configuration) => configuration, "www-data");

/** Every server, nginx with and without kept connections. */
export const frontServers: readonly FrontServer[] = [
  nginx("nginx, kept connections", (configuration) => configuration),
  nginx("nginx, a connection per request", (configuration) =>
    configuration.replace(/^ *keepalive .*$/m, "").replace("fastcgi_keep_conn on", "fastcgi_keep_conn off"),
  ),
  apache,
  modFcgid("Apache mod_fcgid", ({ backend }) => BRIDGE.replace("PORT", backend), ["/usr/bin/python3"]),
  lighttpd,
  caddy,
];

/** Starts our responder with the app, and the server in front of it. */
export async function openBehind(
  server: FrontServer,
  app: AppSource,
  options: Omit<FastcgiServerOptions, "listen"> = {},
): Promise<OpenApp> {
  const folder = await mkdtemp(join(tmpdir(), "gw-front-"));
  if (server.group !== undefined && isRoot) execFileSync("chgrp", [server.group, folder]);
  await chmod(folder, server.group === undefined ? 0o755 : 0o2755);
  const unix = join(folder, "app.sock");
  const listen = server.socket === "unix" ? `unix:${unix}` : "127.0.0.1:0";
  const responder = serveFastcgi(app, { ...options, listen });
  await responder.ready;
  const [address] = responder.addresses;
  const backend = address !== undefined && "port" in address ? String(address.port) : unix;
  const port = await freePort();
  const command = await server.prepare({ folder, port, backend });
  const running = await launch({ command, folder, port });
  return {
    send: (request) => sendHttp1(port, request),
    async close() {
      await running.stop();
      void responder.close();
      await responder.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
