import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { interpreters } from "../../python/test/interpreters.ts";
import { folderWith, gw, serving } from "./gw.ts";

// The two programs of the main README, as they are.
const WSGI = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b"Hello, World!"]
`;
const ASGI = `async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': [[b'content-type', b'text/plain']]})
    await send({'type': 'http.response.body', 'body': b'Hello, World!'})
`;

const withPython = requires("python3");

for (const [kind, source] of [
  ["wsgi", WSGI],
  ["asgi", ASGI],
  ["python", WSGI],
  ["python", ASGI],
] as const) {
  withPython(`gw serve ${kind}:hello:application serves the ${source === WSGI ? "WSGI" : "ASGI"} program`, async () => {
    const folder = folderWith({ "hello.py": source });
    const server = await serving(folder, ["-p", "0", `${kind}:hello:application?workers=1`]);
    const answer = await fetch(`${server.urls[0]}/`);
    expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
      200,
      "text/plain",
      "Hello, World!",
    ]);
  });
}

withPython("a Python app is mounted beside others, and what is wrong with it is its mount's alone", async () => {
  const folder = folderWith({
    "hello.py": WSGI,
    "broken.py": "import nothing_of_this_name\n",
    "app.ts": 'import { text } from "@gw/core";\nexport default (_request: unknown) => text("from TypeScript");\n',
  });
  const mounts = ["--mount", "/py=wsgi:hello:application?threads=1", "--mount", "/broken=asgi:broken:app"];
  const server = await serving(folder, ["-p", "0", ...mounts, "app.ts"]);
  const get = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`${server.urls[0]}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await get("/")).toEqual([200, "from TypeScript"]);
  expect(await get("/py/x")).toEqual([200, "Hello, World!"]);
  expect((await get("/broken"))[0]).toBe(503);
});

withPython("gw fetch asks a Python app without a server", async () => {
  const folder = folderWith({ "hello.py": WSGI });
  const { code, stdout } = await gw(folder, ["fetch", "/", "wsgi:hello:application"]);
  expect([code, stdout]).toEqual([0, "Hello, World!"]);
});

const saying = (word: string): string => `import sys

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return ["${word} {}.{}".format(*sys.version_info[:2]).encode()]
`;

for (const { version, path } of interpreters()) {
  requires(path)(`--python runs every Python app with Python ${version}, unless a target says otherwise`, async () => {
    const folder = folderWith({ "hello.py": saying("by flag") });
    const words = ["fetch", "/", "--python", path, "python:hello:application?workers=1"];
    expect((await gw(folder, words)).stdout).toBe(`by flag ${version}`);
    const environment = { GW_PYTHON: "/nowhere/python" };
    const own = await gw(folder, ["fetch", "/", `wsgi:hello:application?workers=1&python=${path}`], { environment });
    expect(own.stdout).toBe(`by flag ${version}`);
  });
}

withPython(
  "gw dev replaces the workers when a Python file changes, and drops no request",
  async () => {
    const folder = folderWith({ "hello.py": saying("v0") });
    const server = await serving(folder, ["dev", "-p", "0", "--no-access-log", "wsgi:hello:application?workers=1"]);
    const answers: string[] = [];
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) {
        const answer = await fetch(`${server.urls[0]}/`);
        answers.push(answer.status === 200 ? await answer.text() : String(answer.status));
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (const version of ["v1", "v2", "v3"]) {
      folder.write("hello.py", `${saying(version)}# ${version}\n`);
      await expect.poll(() => answers.at(-1), { timeout: 30_000 }).toMatch(new RegExp(`^${version} `));
    }
    isOver = true;
    await Promise.all(clients);
    expect(answers.filter((text) => !/^v\d /.test(text))).toEqual([]);
  },
  60_000,
);

withPython("R-O2: HUP keeps the old workers when the new code cannot be imported, and says why", async () => {
  const folder = folderWith({ "hello.py": saying("old") });
  const server = await serving(folder, ["-p", "0", "wsgi:hello:application?workers=1"]);
  folder.write("hello.py", "import nothing_of_this_name\n");
  const refused = server.says(/gw: not reloaded/);
  const why = server.says(/the new version does not get ready: .*ModuleNotFoundError/);
  const traceback = server.says(/hello\.py", line 1, in <module>/);
  server.kill("SIGHUP");
  await Promise.all([refused, why, traceback]);
  expect(await (await fetch(`${server.urls[0]}/`)).text()).toMatch(/^old /);
  folder.write("hello.py", saying("new"));
  const reloaded = server.says(/gw: reloaded/);
  server.kill("SIGHUP");
  await reloaded;
  expect(await (await fetch(`${server.urls[0]}/`)).text()).toMatch(/^new /);
});

const PIDS = {
  wsgi: `import os

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [("%d" % os.getpid()).encode()]
`,
  asgi: `import os

async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': ("%d" % os.getpid()).encode()})
`,
} as const;

for (const kind of ["wsgi", "asgi"] as const) {
  withPython(`gw -w 2 runs the workers of an app of ${kind} once for both gateway processes`, async () => {
    const folder = folderWith({ "hello.py": PIDS[kind] });
    const words = ["-w", "2", "-p", "0", "--no-access-log", `${kind}:hello:application?workers=1`];
    const server = await serving(folder, words);
    await expect
      .poll(() => new Set(server.stderr().match(/(?<=has loaded the app worker=)\d+/g)).size, { timeout: 15_000 })
      .toBe(2);
    const seen = new Set<string>();
    for (let count = 0; count < 20; count++) {
      const answer = await fetch(`${server.urls[0]}/`, { headers: { Connection: "close" } });
      seen.add(await answer.text());
    }
    expect(seen.size).toBe(1);
  });
}
