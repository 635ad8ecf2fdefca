import { requires } from "@gw-private/requires";
import { expect } from "vitest";
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
