// The portal as a user meets it: the built command on a free port, asked over sockets.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { requires } from "@gw-private/requires";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const PLACES = [
  "/guestbook/",
  "/chat/",
  "/wsgi/",
  "/asgi/",
  "/cgi-bin/hello.sh",
  "/fastcgi/",
  "/elsewhere/",
  "/git/demo.git/info/refs?service=git-upload-pack",
];

let data = "";
let portal: ChildProcess;
let url = "";

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "portal-"));
  portal = spawn(
    process.execPath,
    [join(root, "../../packages/cli/bin/gw.js"), "serve", "--port", "0", "--no-access-log"],
    {
      cwd: root,
      env: { ...process.env, PORTAL_DATA: data },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const lines = createInterface({ input: portal.stderr as NodeJS.ReadableStream });
  for await (const line of lines) {
    const found = /^gw: listening on (\S+)$/.exec(line);
    if (found === null) continue;
    url = found[1] as string;
    break;
  }
  portal.stderr?.resume();
}, 30_000);

afterAll(async () => {
  portal.kill("SIGTERM");
  const [code] = portal.exitCode === null ? await once(portal, "exit") : [portal.exitCode];
  await rm(data, { recursive: true, force: true });
  expect(code).toBe(0);
});

/** Logs the demo user in and gives the cookie. */
async function logIn(password = "open sesame"): Promise<string> {
  const answer = await fetch(`${url}/login`, {
    method: "POST",
    redirect: "manual",
    headers: { Origin: url },
    body: new URLSearchParams({ user: "demo", password }),
  });
  expect(answer.status).toBe(303);
  return (answer.headers.getSetCookie()[0] as string).split(";", 1)[0] as string;
}

/** Asks as a browser does that was given the address: fetch() itself always says that it is a script. */
async function navigate(address: string): Promise<IncomingMessage> {
  const asked = get(address, { headers: { Accept: "text/html", "Sec-Fetch-Mode": "navigate" } });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  return answer;
}

/** Opens a socket; settles with it, or with the status of the refusal. */
function openSocket(path: string, headers: Record<string, string>): Promise<WebSocket | number> {
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (_request, response) => resolve(response.statusCode as number));
    socket.once("error", reject);
  });
}

describe("without a login", () => {
  test("the start page lists the mounts and the demo account, and works without a script", async () => {
    const page = await (await fetch(url)).text();
    for (const text of ["Guestbook", "Chat", "Programs", "demo", "open sesame"]) expect(page).toContain(text);
    expect(page).not.toContain("<script");
  });

  test.each(PLACES)("%s is a 401 for programs and the login page for browsers", async (path) => {
    expect((await fetch(url + path)).status).toBe(401);
    const { statusCode, headers } = await navigate(url + path);
    expect([statusCode, headers.location]).toEqual([302, `/login?next=${encodeURIComponent(path)}`]);
  });

  test("the handshake of the chat's WebSocket is a 401", async () => {
    expect(await openSocket("/chat/", {})).toBe(401);
  });

  test("R-H18: no header makes a user", async () => {
    for (const name of ["Remote-User", "X-Remote-User", "X-Forwarded-User"]) {
      expect((await fetch(`${url}/cgi-bin/hello.sh`, { headers: { [name]: "demo" } })).status).toBe(401);
    }
  });

  test("a wrong password opens nothing", async () => {
    const body = new URLSearchParams({ user: "demo", password: "wrong" });
    const answer = await fetch(`${url}/login`, { method: "POST", redirect: "manual", headers: { Origin: url }, body });
    expect(answer.status).toBe(401);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe("with the login", () => {
  test("R-W9: the guestbook, a WSGI-shaped app in a thread, greets the user and keeps entries", async () => {
    const cookie = await logIn();
    const body = new URLSearchParams({ text: "<b>an entry</b>" });
    const posted = await fetch(`${url}/guestbook/`, { method: "POST", redirect: "manual", headers: { cookie }, body });
    expect([posted.status, posted.headers.get("location")]).toEqual([303, "/guestbook/"]);
    const page = await (await fetch(`${url}/guestbook/`, { headers: { cookie } })).text();
    expect(page).toContain("Hello, demo.");
    expect(page).toMatch(/WSGI · TypeScript · thread [1-9]/);
    expect(page).toContain("&#60;b&#62;an entry&#60;/b&#62;");
  });

  test("the chat, an ASGI-shaped app, carries messages between sockets under the user's name", async () => {
    const cookie = await logIn();
    const [ann, bob] = (await Promise.all([openSocket("/chat/", { cookie }), openSocket("/chat/", { cookie })])) as [
      WebSocket,
      WebSocket,
    ];
    const heard = new Promise<string>((resolve) => {
      bob.on("message", (message) => String(message).includes("hello room") && resolve(String(message)));
    });
    ann.send("hello room");
    expect(JSON.parse(await heard)).toEqual({ from: "demo", text: "hello room" });
    const closed = Promise.all([once(ann, "close"), once(bob, "close")]);
    ann.close(1000);
    bob.close(1000);
    expect((await closed).map(([code]) => code)).toEqual([1000, 1000]);
  });

  requires("sh")("the shell program is told the user as REMOTE_USER", async () => {
    const page = await (
      await fetch(`${url}/cgi-bin/hello.sh/extra?q=1`, { headers: { cookie: await logIn() } })
    ).text();
    for (const text of [
      "Hello, demo",
      "<th>AUTH_TYPE</th><td>form</td>",
      "<th>PATH_INFO</th><td>/extra</td>",
      "<th>QUERY_STRING</th><td>q=1</td>",
    ]) {
      expect(page).toContain(text);
    }
  });

  requires("perl")("the Perl program reads a form", async () => {
    const init = { method: "POST", headers: { cookie: await logIn() }, body: new URLSearchParams({ word: "abc<" }) };
    const page = await (await fetch(`${url}/cgi-bin/turn.pl`, init)).text();
    expect(page).toContain("Hello, demo");
    expect(page).toContain('<p class="note">&lt;cba</p>');
  });

  test("the FastCGI program in TypeScript greets the user; one process answers again and again", async () => {
    const headers = { cookie: await logIn() };
    const ask = async (): Promise<string> => (await fetch(`${url}/fastcgi/`, { headers })).text();
    const [first, second] = [await ask(), await ask()];
    for (const text of ["Hello, demo", "<th>AUTH_TYPE</th><td>form</td>", "<th>SCRIPT_NAME</th><td>/fastcgi</td>"]) {
      expect(first).toContain(text);
    }
    const processOf = (page: string): string => /this process<\/th><td>(\d+)/.exec(page)?.[1] ?? "";
    const servedOf = (page: string): number => Number(/has answered<\/th><td>(\d+)/.exec(page)?.[1]);
    expect([processOf(second), servedOf(second)]).toEqual([processOf(first), servedOf(first) + 1]);
    process.kill(Number(processOf(first)), "SIGKILL");
    const next = await ask();
    expect(processOf(next)).not.toBe(processOf(first));
  });

  test("R-H18: a server of its own is told the user and the groups, and nobody else's", async () => {
    const headers = { "X-Remote-User": "mallory", X_Remote_Groups: "mallory", cookie: await logIn() };
    const page = await (await fetch(`${url}/elsewhere/`, { headers })).text();
    expect(page).toContain("<h1>Hello, demo</h1>");
    expect(page).toContain("<th>x-forwarded-for</th><td>127.0.0.1</td>");
    expect(page).not.toContain("mallory");
  });

  requires("php-cgi")("the PHP page greets the user", async () => {
    const page = await (await fetch(`${url}/php/`, { headers: { cookie: await logIn() } })).text();
    for (const text of [
      "Hello, demo",
      "<th>AUTH_TYPE</th><td>form</td>",
      "<th>SCRIPT_NAME</th><td>/php/index.php</td>",
    ]) {
      expect(page).toContain(text);
    }
  });

  for (const path of ["/wsgi/", "/asgi/"]) {
    requires("python3")(`the Python app at ${path} greets the user`, async () => {
      const answer = await fetch(url + path, { headers: { cookie: await logIn() } });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain("<h1>Hello, demo!</h1>");
      expect((await fetch(`${url}${path}none`, { headers: { cookie: await logIn() } })).status).toBe(404);
    });
  }

  requires("git")("git clones and pushes with the account, and with the session", async () => {
    const work = join(data, "work");
    const git = (...args: string[]) =>
      run("git", args, { cwd: data, env: { PATH: process.env.PATH, HOME: data, GIT_TERMINAL_PROMPT: "0" } });
    await git("clone", `${url.replace("//", "//demo:open%20sesame@")}/git/demo.git`, work);
    await writeFile(join(work, "new.txt"), "pushed\n");
    await git("-C", work, "add", "new.txt");
    await git("-C", work, "-c", "user.name=demo", "-c", "user.email=demo@localhost", "commit", "-m", "From the test");
    await git("-C", work, "push");
    const session = `http.extraHeader=Cookie: ${await logIn()}`;
    const { stdout } = await git("-c", session, "ls-remote", `${url}/git/demo.git`, "main");
    expect(stdout).toContain((await git("-C", work, "rev-parse", "HEAD")).stdout.trim());
    await expect(git("ls-remote", `${url}/git/demo.git`)).rejects.toThrow(
      /could not read Username|Authentication failed/,
    );
  });

  test("a page of a group is 403 for everybody else", async () => {
    expect((await fetch(`${url}/staff/`, { headers: { cookie: await logIn() } })).status).toBe(403);
    const body = new URLSearchParams({ user: "chief", password: "open barley" });
    const answer = await fetch(`${url}/login`, { method: "POST", redirect: "manual", headers: { Origin: url }, body });
    const cookie = (answer.headers.getSetCookie()[0] as string).split(";", 1)[0] as string;
    expect(await (await fetch(`${url}/staff/`, { headers: { cookie } })).text()).toContain("For staff only");
  });

  test("logging out everywhere ends the session of every device", async () => {
    const [phone, laptop] = [await logIn(), await logIn()];
    const init = { method: "POST", redirect: "manual", headers: { cookie: phone, Origin: url } } as const;
    expect((await fetch(`${url}/logout?everywhere=1`, init)).status).toBe(303);
    expect((await fetch(`${url}/account/`, { headers: { cookie: laptop } })).status).toBe(401);
  });

  test("logging out ends the session on the server", async () => {
    const cookie = await logIn();
    await fetch(`${url}/logout`, { method: "POST", redirect: "manual", headers: { cookie, Origin: url } });
    expect((await fetch(`${url}/guestbook/`, { headers: { cookie } })).status).toBe(401);
  });
});
