// docs/handoff.md, run: one login, and every kind of app told who it is, by servers as they are.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { compose, http, silentLogger, text } from "@gw/core";
import { nodeContext } from "@gw/core/node";
import { type RunningServer, serve } from "@gw/http";
import { gatewayIdentity } from "@gw/middleware/gateway-identity";
import { freePort } from "@gw-private/free-port";
import { requires } from "@gw-private/requires";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { identityKey } from "../identity-key.ts";

const root = join(import.meta.dirname, "..");
const python = join(root, "../../node_modules/.cache/python/bin/python");
const CATALINA = "/usr/share/tomcat10/bin/catalina.sh";
/** Debian names it after its version. */
const phpFpm =
  ["/usr/sbin", "/usr/local/sbin"]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .find((name) => /^php-fpm[0-9.]*$/.test(name)) ?? "php-fpm";

/** What a client sends to be somebody else, in the spellings that servers fold into one: fields that are never a client's. */
const FORGED = {
  "Remote-User": "mallory",
  Remote_User: "mallory",
  "Remote-Groups": "mallory",
  "X-Remote-User": "mallory",
  "x_remote-user": "mallory",
  "X.Remote.User": "mallory",
  "X-Forwarded-User": "mallory",
  "X-Forwarded-Email": "mallory",
  "Auth-Type": "mallory",
};

/** The further fields in which an app behind HTTP is told something. */
const FORGED_TOLD = {
  "X-Remote-Groups": "mallory",
  X_Remote_Mail: "mallory",
  "X-Theme": "mallory",
  x_theme: "mallory",
};
const FORGED_GRAFANA = { "X-WEBAUTH-USER": "mallory", X_WEBAUTH_GROUPS: "mallory", "x.webauth.email": "mallory" };

const stops: (() => Promise<unknown> | unknown)[] = [];
let front: RunningServer;
let tomcatOutput = "";

/** Starts a program as the leader of a process group that ends with the tests. */
function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, {
    cwd: join(root, "python"),
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.on("error", () => {});
  child.stderr?.resume();
  stops.push(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
    await once(child, "exit");
  });
  return child;
}

/** The address that a server prints; a port where nobody is if it cannot be started. */
async function addressOf(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as Readable }))
    if (line.startsWith("http")) return line;
  return "http://127.0.0.1:9";
}

/** Tomcat with the application of the sample; it is asked until it answers. */
async function startTomcat(): Promise<string> {
  if (!existsSync(CATALINA)) return "http://127.0.0.1:9";
  const base = mkdtempSync(join(tmpdir(), "gw-tomcat-"));
  stops.push(() => rmSync(base, { recursive: true }));
  for (const folder of ["conf", "logs", "temp", "work", "webapps"]) mkdirSync(join(base, folder));
  cpSync(join(root, "tomcat"), join(base, "webapps/app"), { recursive: true });
  const port = await freePort();
  writeFileSync(
    join(base, "conf/server.xml"),
    readFileSync(join(root, "tomcat/server.xml"), "utf8").replace("8080", `${port}`),
  );
  const child = start(CATALINA, ["run"], { CATALINA_HOME: "/usr/share/tomcat10", CATALINA_BASE: base });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      tomcatOutput += chunk;
    });

  return `http://127.0.0.1:${port}`;
}

async function startGateway(): Promise<string> {
  const shared = { issuer: "front", audience: "reports", keys: [identityKey()] };
  const app = http(({ principal }) => text(JSON.stringify(principal)));
  const behind = serve(compose([gatewayIdentity(shared)], app), { bind: "127.0.0.1:0", idleGraceMs: 0 });
  stops.push(() => behind.close());
  await behind.ready;
  return behind.url;
}

beforeAll(async () => {
  const node = (file: string): Promise<string> => addressOf(start(process.execPath, [join(root, "node", file)]));
  const django = start(existsSync(python) ? python : "false", ["django_app.py"], { DJANGO_BEHIND_HTTP: "1" });
  const [tomcat, who, grafana, djangoUrl, behind] = await Promise.all([
    startTomcat(),
    node("who.mjs"),
    node("grafana.mjs"),
    addressOf(django),
    startGateway(),
  ]);
  Object.assign(process.env, {
    HANDOFF_PYTHON: python,
    HANDOFF_TOMCAT: tomcat,
    HANDOFF_NODE: who,
    HANDOFF_GRAFANA: grafana,
    HANDOFF_DJANGO: djangoUrl,
    HANDOFF_GATEWAY: behind,
  });
  const { default: app } = await import("../gw.config.ts");
  front = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, context: nodeContext({ log: silentLogger }) });
  stops.push(() => front.close());
  await front.ready;
}, 60_000);

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
}, 30_000);

/** The cookie of a user who has logged in on the page. */
async function logIn(user: string): Promise<string> {
  const answer = await fetch(`${front.url}/login`, {
    method: "POST",
    redirect: "manual",
    headers: { Origin: front.url },
    body: new URLSearchParams({ user, password: "open sesame" }),
  });
  expect(answer.status).toBe(303);
  return (answer.headers.getSetCookie()[0] as string).split(";", 1)[0] as string;
}

const ask = (path: string, cookie: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(front.url + path, { redirect: "manual", headers: { ...FORGED, ...headers, Cookie: cookie } });

interface Told {
  readonly type?: string;
  readonly theme?: string;
  /** What a client sends beside `FORGED`. */
  readonly forged?: Record<string, string>;
}

const lines = (user: string, groups: string, mail: string, { type = "form", theme = "dark" }: Told = {}): string =>
  `user=${user}\ntype=${type}\ngroups=${groups}\nmail=${mail}\ntheme=${theme}\n--\n`;

/** Asks an app as both users. */
async function showsBoth(path: string, told: Told = {}): Promise<void> {
  const ann = await logIn("ann");
  const chosen = await fetch(`${front.url}/theme`, { method: "POST", headers: { Cookie: ann }, body: "dark" });
  expect(chosen.status).toBe(200);
  const answer = await ask(path, ann, told.forged);
  const page = await answer.text();
  expect([answer.status, page.split("--\n")[0]]).toEqual([
    200,
    lines("ann", "staff,dev", "ann@example.com", told).slice(0, -3),
  ]);
  expect(page).not.toContain("mallory");
  const other = await (await ask(path, await logIn("jürgen"))).text();
  const light = told.theme === "" ? told : { ...told, theme: "light" };
  expect(other.split("--\n")[0]).toBe(lines("jürgen", "", "", light).slice(0, -3));
  expect((await ask(path, "")).status).toBe(401);
}

describe("R-H18: who asks and what the session says reach", () => {
  test("a CGI program", () => showsBoth("/cgi"));
  requires("php-cgi")("PHP over CGI", () => showsBoth("/php/index.php"));
  requires(phpFpm)("PHP-FPM", () => showsBoth("/fpm/index.php"), 20_000);
  requires(python)("Flask", () => showsBoth("/flask/"), 20_000);
  requires(python)(
    "Django with its RemoteUserMiddleware, which makes the account",
    () => showsBoth("/django/"),
    20_000,
  );
  requires(python)("Starlette", () => showsBoth("/starlette/"), 20_000);
  test("a Node server behind proxy()", () => showsBoth("/node/", { type: "", forged: FORGED_TOLD }));
  test("an app that goes by Grafana's rules for auth.proxy", () =>
    showsBoth("/grafana/", { type: "", theme: "", forged: FORGED_GRAFANA }));
  requires(python)(
    "Django behind proxy(), with a field for RemoteUserMiddleware",
    () => showsBoth("/django-http/", { type: "", forged: FORGED_TOLD }),
    20_000,
  );
  test("another gateway, signed", async () => {
    const principal = await (await ask("/signed/", await logIn("ann"), { "Gateway-Identity": "mallory" })).json();
    expect(principal).toEqual({
      user: "ann",
      type: "form",
      groups: ["staff", "dev"],
      claims: { email: "ann@example.com" },
    });
  });
});

describe("Tomcat behind proxy()", () => {
  const withTomcat = requires(CATALINA, "java");
  /** It starts beside the other tests; until then the gateway has nobody to ask. */
  const ready = async (): Promise<void> => {
    const cookie = await logIn("ann");
    await expect
      .poll(async () => (await ask("/tomcat/", cookie)).status, {
        timeout: 60_000,
        interval: 200,
        message: tomcatOutput,
      })
      .toBe(200);
  };

  withTomcat(
    "R-H18: a JSP page shows the user, and no spelling of a client",
    async () => {
      await ready();
      await showsBoth("/tomcat/", { type: "", forged: FORGED_TOLD });
    },
    90_000,
  );

  withTomcat(
    "its session's cookie and its redirects are for the mount, and it knows the client's address",
    async () => {
      await ready();
      const ann = await logIn("ann");
      const first = await ask("/tomcat/", ann, { "X-Forwarded-For": "6.6.6.6" });
      const [cookie] = first.headers.getSetCookie().filter((line) => line.startsWith("JSESSIONID"));
      expect(cookie).toMatch(/; Path=\/tomcat(?:;|$)/);
      expect(await first.text()).toContain("client=127.0.0.1 scheme=http visits=1\n");
      const again = await ask("/tomcat/index.jsp", `${ann}; ${cookie?.split(";")[0]}`);
      expect(await again.text()).toContain("visits=2\n");
      expect((await ask("/tomcat/moved.jsp", ann)).headers.get("location")).toBe("/tomcat/index.jsp?moved");
      expect((await ask("/tomcat", ann)).headers.get("location")).toBe("/tomcat/");
    },
    90_000,
  );
});

test("the page shows the files that are run here", () => {
  const page = readFileSync(join(root, "../../docs/handoff.md"), "utf8");
  const shown = [...page.matchAll(/^<!-- from (apps\/handoff\/\S+) -->\n```\w+\n(.*?)\n```$/gms)];
  expect(shown.length).toBeGreaterThan(8);
  for (const [, file = "", block = ""] of shown) {
    const source = readFileSync(join(root, "../..", file), "utf8");
    for (const part of block.split("\n…\n")) expect(source, `${file} as docs/handoff.md shows it`).toContain(part);
  }
});
