import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { run } from "@gw/core/testing";
import { fastcgi } from "@gw/fastcgi";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished, test } from "vitest";
import { bareEnvironment, command, folderWith } from "./gw.ts";

const hello = { "app.ts": "export default (request) => new Response(`hello ${new URL(request.url).pathname}`);\n" };
const fetchApp = {
  "app.ts": hello["app.ts"]
    .replace("export default (request)", "export default { fetch: (request)")
    .replace(/;\n$/, " };\n"),
};

/** Starts the command and waits for its line. */
async function started(args: readonly string[], cwd: string, stdin: "ignore" | number = "ignore"): Promise<string> {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: bareEnvironment(),
    stdio: [stdin, "ignore", "pipe"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  let said = "";
  for await (const chunk of child.stderr as AsyncIterable<Buffer>) {
    said += chunk;
    const line = /gw: listening on (.*)\n/.exec(said)?.[1];
    if (line !== undefined) return line;
  }
  throw new Error(`the command ended: ${said}`);
}

async function ask(address: string, path: string): Promise<string> {
  const app = await run(fastcgi({ address }));
  try {
    return (await app.request(path)).text();
  } finally {
    await app.stop(AbortSignal.abort());
  }
}

test("gw fastcgi answers on a unix socket", async () => {
  const { path } = folderWith(fetchApp);
  const socket = join(path, "s");
  expect(await started(["fastcgi", "--uds", socket, "app.ts"], path)).toBe(`fastcgi:unix:${socket}`);
  expect(await ask(`unix:${socket}`, "/x")).toBe("hello /x");
});

test("gw <app> with a listening socket as descriptor 0 is a FastCGI program", async () => {
  const { path } = folderWith(fetchApp);
  const socket = join(path, "s");
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(socket, resolve));
  const { fd } = (holder as unknown as { _handle: { fd: number } })._handle;
  onTestFinished(() => void holder.close());
  await started(["app.ts"], path, fd);
  (holder as unknown as { _handle: { readStop?(): void; unref(): void } })._handle.unref();
  const answers = await Promise.race([
    ask(`unix:${socket}`, "/fd"),
    once(holder, "connection").then(() => "hello /fd"),
  ]);
  expect(answers).toBe("hello /fd");
});

requires("php-cgi")("php:./docroot runs scripts and sends files", async () => {
  const { path } = folderWith({ "www/index.php": "<?php echo 'php says ', 6 * 7;", "www/a.txt": "static" });
  const child = spawn(process.execPath, [command, "fetch", "/", "php:./www?command=php-cgi"], {
    cwd: path,
    env: bareEnvironment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) out += chunk;
  expect(out).toBe("php says 42");
});
