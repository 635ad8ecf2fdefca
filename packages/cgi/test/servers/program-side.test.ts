// An app as a CGI program under real web servers, with the configurations of docs/cgi-program.md.
import { randomBytes } from "node:crypto";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DeclareTest, requires } from "@gw-private/requires";
import { describe, expect } from "vitest";
import { temporaryDirectory } from "../programs.ts";
import { PROGRAM } from "../run-program.ts";
import { apache, lighttpd, nginx, tomcat } from "./server.ts";

/** The app, as a file that names the Node to run it. */
const files = { "app.mjs": `#!${process.execPath}\nawait import(${JSON.stringify(PROGRAM)});\n` };

/** Apps whose first line names the command. */
const scripts = {
  sound: "#!/usr/bin/env gw\nexport default { fetch: (request) => new Response(new URL(request.url).pathname) };\n",
  broken: "#!/usr/bin/env gw\nexport default s3cret detail;\n",
};

/** A PATH with `gw`, and the `node` that its own first line asks for. */
function pathWithCommand(): string {
  const bin = temporaryDirectory();
  chmodSync(bin, 0o755);
  symlinkSync(join(import.meta.dirname, "../../../cli/bin/gw.js"), join(bin, "gw"));
  symlinkSync(process.execPath, join(bin, "node"));
  return `${bin}:${process.env.PATH}`;
}

const kinds = [apache("Apache mod_cgid"), apache("Apache with .htaccess", { htaccess: true }), lighttpd, nginx, tomcat];

describe.each(kinds)("under $name", (kind) => {
  const needing: DeclareTest = (title, ...rest) => {
    const isLeftOut = kind.cannot?.some(([pattern]) => pattern.test(title)) ?? false;
    if (!isLeftOut) requires(...kind.needs)(title, ...rest);
  };
  const open = async (): Promise<string> => (await kind.start(files)).url + kind.mount;

  needing("a page is answered, with status, type and length", async () => {
    const answer = await fetch(`${await open()}/hello`);
    const type = answer.headers.get("content-type")?.replace(";charset", "; charset"); // Tomcat writes it anew
    expect([answer.status, type, await answer.text()]).toEqual([200, "text/plain; charset=utf-8", "hello\n"]);
  });

  needing("R-C1: path, query, headers and target arrive", async () => {
    const base = await open();
    const answer = await fetch(`${base}/request?x=%26&y`, { headers: { "X-Mine": "1", Cookie: "a=1; b=2" } });
    const target = `${new URL(base).pathname}/request?x=%26&y`;
    const got = (await answer.json()) as { path: string; mount: string; headers: string[][] };
    expect(got).toMatchObject({ method: "GET", query: "x=%26&y", target, scheme: "http", protocol: "HTTP/1.1" });
    expect(got.mount + got.path).toMatch(/\/app\.mjs\/request$/);
    const names = got.headers.map(([name, value]) => [name?.toLowerCase(), value]);
    expect(names).toEqual(
      expect.arrayContaining([
        ["x-mine", "1"],
        ["cookie", "a=1; b=2"],
      ]),
    );
  });

  needing("a body of 900 kB arrives and comes back", async () => {
    const body = randomBytes(900_000);
    const answer = await fetch(`${await open()}/echo`, { method: "POST", body });
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), body)).toBe(0);
  });

  needing("a body that the app leaves unread loses no answer", async () => {
    const answer = await fetch(`${await open()}/hello`, { method: "POST", body: new Uint8Array(900_000) });
    expect(await answer.text()).toBe("hello\n");
  });

  needing("the first piece of an answer arrives while the rest is not there yet", async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    const answer = await fetch(`${await open()}/stream?${directory}/go`);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("first\n");
    writeFileSync(`${directory}/go`, "");
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("second\n");
  });

  needing("5 MB arrive whole", async () => {
    expect((await (await fetch(`${await open()}/large`)).arrayBuffer()).byteLength).toBe(5_000_000);
  });

  needing("statuses, redirects and answers without a body pass", async () => {
    const base = await open();
    const redirected = await fetch(`${base}/redirect`, { redirect: "manual" });
    expect([redirected.status, new URL(redirected.headers.get("location") ?? "", base).pathname]).toEqual([
      302,
      "/there",
    ]);
    const created = await fetch(`${base}/created`);
    expect([created.status, await created.text()]).toEqual([201, "made"]);
    expect((await fetch(`${base}/no-content`)).status).toBe(204);
    expect((await fetch(`${base}/none`)).status).toBe(404);
    const head = await fetch(`${base}/hello`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  needing("R-W5: an app that throws is a 500 without detail, which is in the server's log", async () => {
    const server = await kind.start(files);
    const answer = await fetch(`${server.url}${kind.mount}/throws`);
    expect([answer.status, await answer.text()]).toEqual([500, "500 Internal Server Error\n"]);
    // fcgiwrap sends standard error to nginx, the others have it in theirs.
    await expect.poll(() => server.errors()).toContain("s3cret detail");
  });

  needing("a file whose first line names gw is a program", async () => {
    const server = await kind.start({ "app.mjs": scripts.sound }, { path: pathWithCommand() });
    const answer = await fetch(`${server.url}${kind.mount}/x%20y`);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringMatching(/\/x%20y$/)]);
  });

  needing("R-W5: one that cannot be loaded is a 500 without detail, which is in the server's log", async () => {
    const server = await kind.start({ "app.mjs": scripts.broken }, { path: pathWithCommand() });
    const answer = await fetch(`${server.url}${kind.mount}/x`, { method: "POST", body: new Uint8Array(100_000) });
    expect([answer.status, await answer.text()]).toEqual([500, "500 Internal Server Error\n"]);
    await expect.poll(() => server.errors()).toContain("cannot load");
  });
});
