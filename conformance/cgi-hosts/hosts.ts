// What runs CGI programs: our host with each spawner, and two web servers that have done so for decades.
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { cgiBin, type Spawner } from "@gw/cgi";
import { gateway, text } from "@gw/core";
import { serve } from "@gw/http";
import { type ClientAnswer, type ClientRequest, sendHttp1 } from "@gw/testing";
import { freePort } from "@gw-private/free-port";
import { launch } from "../server-process.ts";

/** A host that runs the programs of a directory under /cgi-bin/, and answers /page.txt with "a page\n". */
export interface CgiHost {
  readonly name: string;
  /** Whether it is ours: then no case may deviate. */
  readonly isOurs: boolean;
  /** Programs of the machine that it needs. */
  readonly needs: readonly string[];
  open(place: HostPlace): Promise<OpenHost>;
}

/** Where a host finds what it serves. */
export interface HostPlace {
  /** Folder of the host's own files; `programs` and `www` are in it. */
  readonly folder: string;
  readonly programs: string;
  readonly www: string;
}

/** A host that runs. */
export interface OpenHost {
  send(request: ClientRequest): Promise<ClientAnswer>;
  close(): Promise<void>;
}

function ours(spawner: Spawner): CgiHost {
  return {
    name: `gw, ${spawner}`,
    isOurs: true,
    needs: [],
    async open({ programs }) {
      const app = gateway()
        .mount("/cgi-bin", cgiBin({ root: programs, spawner, stopTimeoutMs: 200 }))
        .run(({ path }) => (path === "/page.txt" ? text("a page\n") : text("", { status: 404 })));
      const server = serve(app, { bind: "127.0.0.1:0" });
      await server.ready;
      const { port } = new URL(server.url);
      return { send: (request) => sendHttp1(Number(port), request), close: () => server.close() };
    },
  };
}

const apacheModules = ["mpm_event", "authz_core", "alias", "cgid"].map(
  (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
);

const apache: CgiHost = {
  name: "Apache mod_cgid",
  isOurs: false,
  needs: ["apache2"],
  open: async (place) => {
    const port = await freePort();
    const file = join(place.folder, "apache.conf");
    await writeFile(
      file,
      `${apacheModules.join("\n")}
ServerName localhost
ServerRoot ${place.folder}
PidFile ${place.folder}/pid
DefaultRuntimeDir ${place.folder}
ScriptSock ${place.folder}/cgi.sock
ErrorLog ${place.folder}/error.log
DocumentRoot ${place.www}
Listen 127.0.0.1:${port}
${userInfo().uid === 0 ? "User www-data\nGroup www-data" : ""}
ScriptAlias /cgi-bin/ ${place.programs}/
<Directory />
  Require all granted
</Directory>
`,
    );
    return behind(["apache2", "-D", "FOREGROUND", "-f", file], place.folder, port);
  },
};

const lighttpd: CgiHost = {
  name: "lighttpd mod_cgi",
  isOurs: false,
  needs: ["lighttpd"],
  open: async (place) => {
    const port = await freePort();
    const file = join(place.folder, "lighttpd.conf");
    await writeFile(
      file,
      `server.modules = ("mod_alias", "mod_cgi")
server.document-root = "${place.www}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${place.folder}/error.log"
server.breakagelog = "${place.folder}/programs.log"
server.upload-dirs = ("${place.folder}")
server.stream-response-body = 1
alias.url = ("/cgi-bin/" => "${place.programs}/")
$HTTP["url"] =~ "^/cgi-bin/" { cgi.assign = ("" => "") cgi.local-redir = "enable" }
`,
    );
    return behind(["lighttpd", "-D", "-f", file], place.folder, port);
  },
};

async function behind(command: [string, ...string[]], folder: string, port: number): Promise<OpenHost> {
  const server = await launch({ command, folder, port });
  return { send: (request) => sendHttp1(port, request), close: () => server.stop() };
}

/** Every host. */
export const cgiHosts: readonly CgiHost[] = [ours("python"), ours("node"), ours("inprocess"), apache, lighttpd];

/** A folder with the programs, readable by servers that run as another user. */
export async function placePrograms(programs: Readonly<Record<string, string>>): Promise<HostPlace> {
  const folder = await mkdtemp(join(tmpdir(), "gw-cgi-host-"));
  const place = { folder, programs: join(folder, "programs"), www: join(folder, "www") };
  await mkdir(place.programs);
  await mkdir(place.www);
  await writeFile(join(place.www, "page.txt"), "a page\n");
  for (const [name, script] of Object.entries(programs)) {
    const path = join(place.programs, name);
    await writeFile(path, script.startsWith("#!") ? script : `#!/bin/sh\n${script}\n`);
    await chmod(path, name.endsWith(".txt") ? 0o644 : 0o755);
  }
  await chmod(folder, 0o777);
  return place;
}

/** Removes what `placePrograms` made. */
export async function removePlace({ folder }: HostPlace): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
