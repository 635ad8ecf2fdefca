// What ends a start, and what is taken on before the first accept: user, group, umask, pid file.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { describe, expect, test } from "vitest";
import { appSaying, type Folder, folderWith, gw, serving } from "./gw.ts";

const app = appSaying("hello");
const failing = "fastcgi:/bin/false";

describe("a backend that does not get ready", () => {
  test.each([[], ["-w", "2"]])("ends the start if it is the only app (%s %s)", async (...workers) => {
    const folder = folderWith();
    const { code, stderr } = await gw(folder, ["serve", failing, "-p", "0", "--log-level", "silent", ...workers]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^gw: the app does not get ready: .*exited with code 1/);
    expect(stderr).not.toContain("listening");
  });

  test.each([[], ["-w", "1"]])(
    "is a mount that answers 503 beside others, unless --strict-start (%s %s)",
    async (...workers) => {
      const folder = folderWith({ "app.ts": app });
      const words = ["serve", "app.ts", "--mount", `/x=${failing}`, "-p", "0", "--log-level", "silent", ...workers];
      const server = await serving(folder, words);
      expect((await fetch(`${server.urls[0]}/`)).status).toBe(200);
      expect((await fetch(`${server.urls[0]}/x`)).status).toBe(503);
      server.kill("SIGTERM");
      expect(await server.ended).toBe(0);
      const strict = await gw(folder, [...words, "--strict-start"]);
      expect([strict.code, strict.stderr]).toEqual([
        1,
        expect.stringMatching(/does not get ready: .*exited with code 1/),
      ]);
    },
  );

  test("R-O2: with workers, a reload does not put it in the place of one that serves", async () => {
    const folder = folderWith({
      "app.ts": app,
      "gw.config.json": '{ "app": "./app.ts", "mounts": { "/x": "static:." }, "logLevel": "silent" }',
    });
    const server = await serving(folder, ["serve", "-p", "0", "-w", "1"]);
    folder.write("gw.config.json", `{ "app": "./app.ts", "mounts": { "/x": "${failing}" } }`);
    const told = server.says(/the new version does not get ready: .*exited with code 1[\s\S]*not reloaded/);
    server.kill("SIGHUP");
    await told;
    expect((await fetch(`${server.urls[0]}/x/app.ts`)).status).toBe(200);
  });
});

describe("--pid", () => {
  test("that of a gateway that runs is refused, that of a dead one replaced", async () => {
    const folder = folderWith({ "app.ts": app, "gw.pid": "4194304\n" });
    const words = ["serve", "app.ts", "-p", "0", "--pid", "gw.pid"];
    const first = await serving(folder, words);
    const text = `${first.pid}\n`;
    expect(readFileSync(join(folder.path, "gw.pid"), "utf8")).toBe(text);
    const second = await gw(folder, words);
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^gw: --pid .*gw\\.pid is that of a gateway that runs: process ${first.pid}`)),
    ]);
    expect(readFileSync(join(folder.path, "gw.pid"), "utf8")).toBe(text);
  });
});

describe("--umask", () => {
  test.each([[], ["-w", "1"]])("is that of the files that are written (%s %s)", async (...workers) => {
    const writes = `import { writeFileSync } from "node:fs";
import { text } from "@gw/core";
export default { start: () => writeFileSync("made", ""), handle: () => text("ok") };
`;
    const folder = folderWith({ "app.mjs": writes });
    await serving(folder, ["serve", "app.mjs", "-p", "0", "--umask", "027", ...workers]);
    expect(statSync(join(folder.path, "made")).mode & 0o777).toBe(0o640);
  });

  test("a value that is none is refused", async () => {
    const { code, stderr } = await gw(folderWith({ "app.ts": app }), ["serve", "app.ts", "--umask", "8"]);
    expect([code, stderr]).toEqual([
      2,
      'gw: --umask: found "8", expected octal permissions from 000 to 777, such as 027\n',
    ]);
  });
});

const identityApp = `import { readFileSync } from "node:fs";
import { json } from "@gw/core";
export default (request) => {
  const ofProcess = (pid) => /^Uid:.*\\nGid:.*\\nFDSize.*\\nGroups:.*/m.exec(readFileSync("/proc/" + pid + "/status", "utf8"))?.[0];
  let isRootAgain = true;
  try { process.setuid(0); } catch { isRootAgain = false; }
  return json({ worker: ofProcess("self"), primary: ofProcess(process.ppid), isRootAgain, home: process.env.HOME });
};
`;

/** A folder that everybody may enter, unlike those that mkdtemp makes. */
function openFolder(files: Readonly<Record<string, string>>): Folder {
  const folder = folderWith(files);
  chmodSync(folder.path, 0o755);
  return folder;
}

function freePortBelow1024(): number {
  // The kernel's list: of those that listen, TCP over IPv4 and IPv6.
  const taken = ["tcp", "tcp6"].flatMap((name) => [
    ...readFileSync(`/proc/net/${name}`, "utf8").matchAll(/:([0-9A-F]{4}) \S+ 0A/g),
  ]);
  const ports = new Set(taken.map(([, port]) => Number.parseInt(port as string, 16)));
  return [901, 902, 903, 904, 905].find((port) => !ports.has(port)) as number;
}

const asRoot = process.getuid?.() === 0 ? requires("/proc/self/status", "getent") : requires("root privileges");

describe("--user, --group", () => {
  asRoot("R-O14: a low port, a unix socket and a pid file are root's, whoever serves is not", async () => {
    const folder = openFolder({ "app.mjs": identityApp });
    mkdirSync(join(folder.path, "run")); // root's, as /run is
    const [port, socket, pid] = [
      freePortBelow1024(),
      join(folder.path, "run/gw.sock"),
      join(folder.path, "run/gw.pid"),
    ];
    const binds = ["-b", `127.0.0.1:${port}`, "-b", `unix:${socket}`];
    const server = await serving(folder, ["serve", "app.mjs", ...binds, "--user", "www-data", "--pid", pid], {
      binds: 2,
    });
    const { uid, gid, home } = www();
    const found = (await (await fetch(`${server.urls[0]}/`)).json()) as Record<string, string>;
    const ids = `Uid:\t${[uid, uid, uid, uid].join("\t")}\nGid:\t${[gid, gid, gid, gid].join("\t")}\n`;
    expect(found).toMatchObject({ isRootAgain: false, home });
    expect(found.worker).toContain(ids);
    expect(found.primary).toContain(ids);
    expect(found.worker).toMatch(new RegExp(`Groups:\\t${gid}\\s*$`));
    expect(readFileSync(pid, "utf8")).toBe(`${server.pid}\n`);
    expect(statSync(socket)).toMatchObject({ uid: 0, gid });
    expect(statSync(socket).mode & 0o777).toBe(0o660);
    const status = await new Promise<number | undefined>((done, fail) => {
      httpGet({ socketPath: socket, path: "/" }, (answer) => done(answer.resume().statusCode)).on("error", fail);
    });
    expect(status).toBe(200);
    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(readFileSync(pid, "utf8")).toBe(""); // it may not remove it there, but it names nobody
    const again = await serving(folder, ["serve", "app.mjs", ...binds, "--user", "www-data", "--pid", pid], {
      binds: 2,
    });
    expect(readFileSync(pid, "utf8")).toBe(`${again.pid}\n`);
  });

  asRoot("R-O14: another group, by number; log files are made by that user, HUP goes on as that user", async () => {
    const folder = openFolder({ "app.mjs": identityApp });
    chmodSync(folder.path, 0o777);
    const words = ["serve", "app.mjs", "-p", "0", "-w", "2", "--user", "www-data", "--group", "12345"];
    const server = await serving(folder, [...words, "--access-log-file", "access.log", "--log-file", "gw.log"]);
    const look = async () => (await (await fetch(`${server.urls[0]}/`)).json()) as Record<string, string>;
    expect((await look()).worker).toContain(`Gid:\t12345\t12345\t12345\t12345\n`);
    expect((await look()).worker).toMatch(/Groups:\t.*\b12345\b/);
    expect(statSync(join(folder.path, "gw.log"))).toMatchObject({ uid: www().uid, gid: 12345 });
    const reloaded = server.says(/gw: reloaded/);
    server.kill("SIGHUP");
    await reloaded;
    expect((await look()).worker).toContain(`Uid:\t${www().uid}\t`);
    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(statSync(join(folder.path, "access.log"))).toMatchObject({ uid: www().uid });
  });

  asRoot("R-O14: what only root may read is said clearly, and nothing is left running", async () => {
    const folder = openFolder({ "app.mjs": identityApp, "secret/app.mjs": identityApp });
    chmodSync(join(folder.path, "secret"), 0o700);
    const { code, stderr } = await gw(folder, ["serve", "secret/app.mjs", "-p", "0", "--user", "www-data"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^gw: .*(EACCES|permission denied|cannot load|not found)/m);
  });

  test("a user or group that this system does not know is refused", async () => {
    const folder = folderWith({ "app.mjs": identityApp });
    const user = await gw(folder, ["serve", "app.mjs", "-p", "0", "--user", "no-such-user"]);
    expect([user.code, user.stderr]).toEqual([2, 'gw: --user: found "no-such-user", expected a user of this system\n']);
    const group = await gw(folder, ["serve", "app.mjs", "-p", "0", "--group", "no-such-group"]);
    expect([group.code, group.stderr]).toEqual([
      2,
      'gw: --group: found "no-such-group", expected a group of this system\n',
    ]);
  });

  asRoot("without root it is refused before anything is bound", async () => {
    const folder = openFolder({ "app.mjs": identityApp });
    writeFileSync(join(folder.path, "call.sh"), `exec setpriv --reuid=12345 --regid=12345 --clear-groups "$@"\n`);
    const words = [
      process.execPath,
      join(import.meta.dirname, "../bin/gw.js"),
      "serve",
      "app.mjs",
      "-p",
      "0",
      "--user",
      "www-data",
    ];
    const run = (): string =>
      execFileSync("sh", [join(folder.path, "call.sh"), ...words], {
        cwd: folder.path,
        stdio: "pipe",
        encoding: "utf8",
      });
    expect(run).toThrow(/--user www-data needs root; this is user 12345/);
  });
});

function www(): { uid: number; gid: number; home: string } {
  const fields = execFileSync("getent", ["passwd", "www-data"], { encoding: "utf8" }).trim().split(":");
  return { uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] as string };
}
