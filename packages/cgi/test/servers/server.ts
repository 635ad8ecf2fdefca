// Real web servers for tests, configured with the blocks of docs/cgi-program.md: what users copy is what runs here.
import type { ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@gw-private/free-port";
import { onTestFinished } from "vitest";
import { endGroup, startGroup } from "../groups.ts";
import { temporaryDirectory } from "../programs.ts";

/** A server that was started for a test and ends with it. */
export interface RunningServer {
  readonly url: string;
  /** What it wrote to its error log. */
  errors(): string;
}

/** What a server serves: files by name below the document root, executable ones. */
export type Files = Readonly<Record<string, string>>;

/** How a server is started. */
export interface StartOptions {
  /** PATH of its programs. @default that of the tests; what the docs say where a server has to be told */
  readonly path?: string;
}

/** A web server. */
export interface ServerKind {
  readonly name: string;
  /** Programs of the system that it needs. */
  readonly needs: readonly [string, ...string[]];
  /** Tests it cannot pass: their titles, and why. */
  readonly cannot?: readonly (readonly [title: RegExp, why: string])[];
  /** Where the app of `files["app.mjs"]` answers. */
  readonly mount: string;
  start(files: Files, options?: StartOptions): Promise<RunningServer>;
}

const modules = "/usr/lib/apache2/modules";
const apacheModules = ["mpm_event", "authz_core", "alias", "cgid", "env", "setenvif", "rewrite", "mime", "dir"];

/** Apache with mod_cgid; `block` is the number of the block in the docs. */
export function apache(name: string, { htaccess = false } = {}): ServerKind {
  return {
    name,
    needs: ["apache2"],
    mount: htaccess ? "/folder" : "/cgi/app.mjs",
    async start(files, { path = process.env.PATH } = {}) {
      const { directory, www, port } = await place(htaccess ? "folder" : "cgi", files);
      const block = docsBlock("apache", htaccess ? 1 : 0).replaceAll("/srv/www/cgi", join(www, "cgi"));
      if (htaccess) writeFileSync(join(www, "folder/.htaccess"), block);
      const loads = apacheModules.map((module) => `LoadModule ${module}_module ${modules}/mod_${module}.so`);
      const config = `${loads.join("\n")}
ServerRoot ${directory}
ServerName localhost
TypesConfig /dev/null
Listen 127.0.0.1:${port}
PidFile ${directory}/pid
ScriptSock ${directory}/cgi.sock
ErrorLog ${directory}/error.log
DocumentRoot ${www}
${process.getuid?.() === 0 ? "User www-data\nGroup www-data" : ""}
<Directory ${www}>
  AllowOverride All
  Require all granted
</Directory>
${htaccess ? "" : block}`;
      writeFileSync(join(directory, "apache.conf"), config);
      return run(["apache2", "-f", join(directory, "apache.conf"), "-D", "FOREGROUND"], { directory, port, path });
    },
  };
}

/** lighttpd with mod_cgi. */
export const lighttpd: ServerKind = {
  name: "lighttpd mod_cgi",
  needs: ["lighttpd"],
  mount: "/cgi/app.mjs",
  async start(files, { path = process.env.PATH } = {}) {
    const { directory, www, port } = await place("cgi", files);
    const config = `${docsBlock("lighttpd", 0)}
${docsBlock("lighttpd", 1).replace(DOCS_PATH, path ?? DOCS_PATH)}
server.document-root = "${www}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${directory}/error.log"
server.breakagelog = "${directory}/programs.log"
server.upload-dirs = ("${directory}")
`;
    writeFileSync(join(directory, "lighttpd.conf"), config);
    return run(["lighttpd", "-D", "-f", join(directory, "lighttpd.conf")], { directory, port, path });
  },
};

/** nginx in front of fcgiwrap. */
export const nginx: ServerKind = {
  name: "nginx with fcgiwrap",
  needs: ["nginx", "fcgiwrap"],
  mount: "/app.mjs",
  async start(files, { path = process.env.PATH } = {}) {
    const { directory, www, port } = await place("", files);
    const block = docsBlock("nginx", 0)
      .replaceAll("/srv/www", www)
      .replaceAll("/run/fcgiwrap.socket", `${directory}/fcgiwrap.sock`)
      .replace("include fastcgi_params", "include /etc/nginx/fastcgi_params");
    const config = `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off; pid ${directory}/pid; error_log ${directory}/error.log;
events {}
http {
  access_log off; client_body_temp_path ${directory}; fastcgi_temp_path ${directory}; proxy_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory}; client_max_body_size 100m;
  server { listen 127.0.0.1:${port}; root ${www};
${block}
  }
}`;
    writeFileSync(join(directory, "nginx.conf"), config);
    const fcgiwrap = ["fcgiwrap", "-f", "-c", "4", "-s", `unix:${directory}/fcgiwrap.sock`] as const;
    keep(startGroup(fcgiwrap, { stdio: "ignore", env: { ...process.env, PATH: path } }));
    return run(["nginx", "-c", join(directory, "nginx.conf"), "-e", `${directory}/error.log`], {
      directory,
      port,
      path,
    });
  },
};

/** Tomcat with its CGIServlet. */
export const tomcat: ServerKind = {
  name: "Tomcat CGIServlet",
  needs: ["/usr/share/tomcat10/bin/catalina.sh", "java"],
  mount: "/app/cgi/app.mjs",
  cannot: [
    [/first piece of an answer/, "sends nothing before its buffer is full or the program ends"],
    [/R-W5/, "puts a page of its own in the place of every 500"],
  ],
  async start(files, { path = process.env.PATH } = {}) {
    const { directory, www, port } = await place("app/WEB-INF/cgi", files);
    mkdirSync(join(www, "app/META-INF"));
    for (const folder of ["conf", "logs", "temp", "work"]) mkdirSync(join(directory, folder));
    writeFileSync(join(www, "app/WEB-INF/web.xml"), docsBlock("xml", 0).replace(DOCS_PATH, path ?? DOCS_PATH));
    writeFileSync(join(www, "app/META-INF/context.xml"), docsBlock("xml", 1));
    writeFileSync(
      join(directory, "conf/server.xml"),
      `<Server port="-1"><Service name="Catalina"><Connector address="127.0.0.1" port="${port}"/>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="${www}"/></Engine></Service></Server>`,
    );
    return run(["/usr/share/tomcat10/bin/catalina.sh", "run"], {
      directory,
      port,
      path: process.env.PATH,
      env: { CATALINA_HOME: "/usr/share/tomcat10", CATALINA_BASE: directory },
    });
  },
};

/** PATH of programs in the configurations of servers that do not hand on their own. */
const DOCS_PATH = "/usr/local/bin:/usr/bin:/bin";

/** The n-th code block of a language in docs/cgi-program.md. */
function docsBlock(language: string, index: number): string {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/cgi-program.md"), "utf8");
  const blocks = [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(([, block]) => block);
  const block = blocks[index];
  if (block === undefined) throw new Error(`docs/cgi-program.md has no block ${index} of ${language}`);
  return block;
}

async function place(folder: string, files: Files): Promise<{ directory: string; www: string; port: number }> {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755); // servers run programs as another user
  const www = join(directory, "www");
  mkdirSync(join(www, folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(www, folder, name), text);
    chmodSync(join(www, folder, name), 0o755);
  }
  return { directory, www, port: await freePort() };
}

async function run(
  [program, ...args]: [string, ...string[]],
  place: { directory: string; port: number; path: string | undefined; env?: NodeJS.ProcessEnv },
): Promise<RunningServer> {
  const { directory, port, path, env = process.env } = place;
  const logs = ["error.log", "programs.log"].map((name) => join(directory, name));
  const errors = (): string => logs.map((log) => (existsSync(log) ? readFileSync(log, "utf8") : "")).join("") + said;
  let said = "";
  const child = keep(
    startGroup([program, ...args], { stdio: ["ignore", "ignore", "pipe"], env: { ...env, PATH: path } }),
  );
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null || tries === 1_500) throw new Error(`${program} did not start: ${errors()}`);
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return { url, errors };
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Ends a server and all it has started with the test, and waits for that. */
function keep(child: ChildProcess): ChildProcess {
  onTestFinished(() => endGroup(child));
  return child;
}
