// WSGI-shaped TypeScript apps on threads: `--threads`, `?threads=`, the configuration file.
import { describe, expect, test } from "vitest";
import { folderWith, gw, serving } from "./gw.ts";

const canStrip = Boolean((process.features as { typescript?: unknown }).typescript);

/** The seed's own five lines, and what tells where they run. */
const app = `import { threadId } from "node:worker_threads";
import type { Environ, StartResponse } from "@gw/wsgi";
export default function application(environ: Environ, startResponse: StartResponse): Iterable<Uint8Array> {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  const where = threadId === 0 ? "main" : "thread";
  return [Buffer.from(\`\${where} \${environ["wsgi.multithread"]}\`)];
}
export const other = application;
`;

/** What an app that is served answers. */
async function answerOf(folder: ReturnType<typeof folderWith>, args: readonly string[], path = "/"): Promise<string> {
  const { urls } = await serving(folder, ["serve", ...args, "--port", "0"]);
  return (await fetch(urls[0] + path)).text();
}

describe("where a WSGI-shaped app runs", () => {
  test.each([
    ["in a thread by default", ["app.ts"], "thread true"],
    ["on the main thread with --threads 0", ["app.ts", "--threads", "0"], "main false"],
    ["in a thread when its shape is named", ["app.ts:other", "--interface", "wsgi", "--threads", "2"], "thread true"],
    ["as the target itself says", ["app.ts?threads=0", "--threads", "2"], "main false"],
    ["as a mount", ["--mount", "/=app.ts?threads=2&timeoutMs=5000"], "thread true"],
  ])("%s", async (_how, args, expected) => {
    expect(await answerOf(folderWith({ "app.ts": app }), args)).toBe(expected);
  });

  test("as the configuration file says", async () => {
    const config = (threads: number): string => `export default { app: "./app.ts", threads: ${threads} };`;
    expect(await answerOf(folderWith({ "app.ts": app, "gw.config.mjs": config(2) }), [])).toBe("thread true");
    expect(await answerOf(folderWith({ "app.ts": app, "gw.config.mjs": config(0) }), [])).toBe("main false");
  });

  test("gw fetch asks it on the main thread: one request blocks nobody", async () => {
    expect((await gw(folderWith({ "app.ts": app }), ["fetch", "/", "app.ts"])).stdout).toBe("main false");
  });
});

test("a request that blocks for ever does not keep others waiting", async () => {
  const blocking = `export default (environ, startResponse) => {
  while (environ.PATH_INFO === "/loop");
  startResponse("200 OK", []);
  return [Buffer.from("quick")];
};
`;
  const args = ["serve", "app.mjs?timeoutMs=300", "--threads", "2", "--port", "0"];
  const { urls } = await serving(folderWith({ "app.mjs": blocking }), args);
  const loop = fetch(`${urls[0]}/loop`);
  expect(await (await fetch(`${urls[0]}/`)).text()).toBe("quick");
  expect((await loop).status).toBe(504);
});

test("an app that cannot be loaded ends the command with its error, as on the main thread", async () => {
  const folder = folderWith({ "app.mjs": "export default (a, b) => [];\nthis is no JavaScript\n" });
  for (const shape of ["auto", "wsgi"]) {
    const { code, stderr } = await gw(folder, ["serve", "app.mjs", "--interface", shape, "--port", "0"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/gw: cannot load app\.mjs: SyntaxError: .*\(app\.mjs:2\)/);
  }
});

test("beside other apps it answers 503 until it can be loaded", async () => {
  const folder = folderWith({ "app.ts": app, "broken.mjs": "import './missing.mjs';" });
  const args = ["serve", "app.ts", "--mount", "/broken=broken.mjs?interface=wsgi", "--port", "0"];
  const { urls } = await serving(folder, args);
  expect((await fetch(`${urls[0]}/`)).status).toBe(200);
  expect((await fetch(`${urls[0]}/broken/`)).status).toBe(503);
});

test("options of threads are refused for an app that has none", async () => {
  const folder = folderWith({ "app.mjs": "export default (request) => null;" });
  const { code, stderr } = await gw(folder, ["serve", "app.mjs?timeoutMs=5", "--port", "0"]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('app "app.mjs?timeoutMs=5": timeoutMs is for WSGI-shaped apps on threads'),
  ]);
});

test("a thread loads TypeScript that cannot be stripped, and on Node 20 any, through jiti", async () => {
  const node = canStrip ? ["--no-experimental-strip-types"] : [];
  const { urls } = await serving(folderWith({ "app.ts": `${app}enum E { A }` }), ["serve", "app.ts", "--port", "0"], {
    node,
  });
  expect(await (await fetch(urls[0] as string)).text()).toBe("thread true");
});

test("gw dev puts a changed app in place, in new threads", async () => {
  const say = (word: string): string =>
    `export default (environ, startResponse) => (startResponse("200 OK", []), [Buffer.from("${word}")]);\n`;
  const folder = folderWith({ "app.mjs": say("first") });
  const { urls, says } = await serving(folder, ["dev", "app.mjs", "--port", "0"]);
  expect(await (await fetch(urls[0] as string)).text()).toBe("first");
  const reloaded = says(/reloaded in/);
  folder.write("app.mjs", say("second"));
  await reloaded;
  expect(await (await fetch(urls[0] as string)).text()).toBe("second");
});
