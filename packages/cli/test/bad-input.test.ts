// Wrong use and missing things: one clear line, the right exit code, nothing half-started.

import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { first, second } from "../../http/test/certificates.ts";
import { appSaying, folderWith, gw } from "./gw.ts";

const USAGE = 2;
const FAILED = 1;

/** Files that the cases name. */
const files = {
  "app.ts": appSaying("hello"),
  "broken.ts": "export default () => 1;\nconst a: number = ;\n",
  "broken.mjs": "export default () => 1;\nconst a = ;\n",
  "deep.ts": 'import "./broken.ts";\nexport default 1;\n',
  "missing-package.ts": 'import x from "no-such-package";\nexport default x;\n',
  "missing-file.ts": 'import x from "./nope.ts";\nexport default x;\n',
  "throws.ts": 'const a = 1;\nif (a) throw new TypeError("no database\\nat all");\nexport default a;\n',
  "throws-text.ts": 'throw "just text";\n',
  "named.ts": "export const application = (request: unknown) => request;\n",
  "empty.ts": "export {};\n",
  "none.ts": "export default () => 1;\n",
  "rest.ts": "export default (...all: unknown[]) => all;\n",
  "default.ts": "export default (a: unknown, b = 1) => [a, b];\n",
  "class.ts": "export default class App {}\n",
  "express.ts": 'import express from "express";\nexport default express();\n',
  "text.ts": 'export default "app";\n',
  "program.php": "<?php\n",
  "bad-key.config.ts": 'export default { app: "./app.ts", prot: 1 };\n',
  "bad-mount.config.ts": 'export default { mounts: { "/a": 5 } };\n',
  "bad-value.config.ts": 'export default { app: "./app.ts", timeout: "soon" };\n',
  "empty.config.ts": "export const app = 1;\n",
  "first.pem": first.cert,
  "first.key": first.key,
  "second.key": second.key,
  "failing.ts": 'export default { handle() {}, start() { throw new Error("no license"); } };\n',
};

const CASES: readonly (readonly [what: string, words: string, code: number, line: string | RegExp])[] = [
  [
    "an unknown flag",
    "serve app.ts --prot 1",
    USAGE,
    'unknown flag --prot (did you mean "--port"?); `gw serve --help` lists the flags',
  ],
  ["another command's flag", "serve app.ts -X GET", USAGE, "unknown flag -X; `gw serve --help` lists the flags"],
  ["an unknown command", "servr app.ts", USAGE, 'unknown command "servr" (did you mean "serve"?)'],
  ["a flag without its value", "serve app.ts --port", USAGE, "--port needs a value: --port PORT"],
  ["a bad port", "serve app.ts -p eighty", USAGE, '-p: found "eighty", expected a port from 0 (any free one) to 65535'],
  [
    "a bad time",
    "serve app.ts --timeout soon",
    USAGE,
    '--timeout: found "soon", expected a time such as 30 (seconds), 250ms, 30s, 5m',
  ],
  [
    "a bad size",
    "serve app.ts --limit-request-body big",
    USAGE,
    '--limit-request-body: found "big", expected a size in bytes such as 65536, 64k, 10m',
  ],
  ["a bad choice", "serve app.ts --http 3", USAGE, '--http: found "3", allowed: auto, 1, 2'],
  ["a bad bind", "serve app.ts -b nowhere", USAGE, /^not an address to bind to: "nowhere"; expected /],
  [
    "two apps",
    "serve app.ts named.ts",
    USAGE,
    'one app at a time: found "app.ts" and "named.ts"; mount others with --mount /prefix=APP',
  ],
  ["no app", "serve", USAGE, "no app named and no gw.config.ts here; name one: gw ./app.ts (see gw --help)"],
  ["a key without a certificate", "serve app.ts --ssl-keyfile first.key", USAGE, "--ssl-keyfile needs --ssl-certfile"],
  [
    "a bad mount",
    "serve app.ts --mount /x",
    USAGE,
    '--mount: found "/x", expected WHERE=APP, such as /admin=./admin.ts',
  ],
  [
    "an unknown kind of target",
    "serve cgibin:./x",
    USAGE,
    /^app "cgibin:\.\/x": unknown kind "cgibin:" \(did you mean "cgi-bin"\?\); allowed: a \.ts or \.js file, cgi:, cgi-bin:, /,
  ],
  [
    "an unknown target option",
    "serve static:./x?indx=a",
    USAGE,
    /^app "static:\.\/x\?indx=a": unknown option "indx" \(did you mean "index"\?\); allowed: index, /,
  ],
  [
    "an unknown layer",
    "serve app.ts --use basic-aut",
    USAGE,
    /has no layer "basic-aut" \(did you mean "basic-auth"\?\); allowed: /,
  ],
  [
    "a bad key in the file",
    "serve -c bad-key.config.ts",
    USAGE,
    /^bad-key\.config\.ts: unknown key "prot" \(did you mean "port"\?\); allowed: app, mounts, use, /,
  ],
  [
    "a bad mount in the file",
    "serve -c bad-mount.config.ts",
    USAGE,
    'bad-mount.config.ts: mounts["/a"]: found 5, expected an app or a text such as "cgi-bin:./dir"',
  ],
  [
    "a bad value in the file",
    "serve -c bad-value.config.ts",
    USAGE,
    /^bad-value\.config\.ts: timeout: found "soon", expected a time/,
  ],
  [
    "a file without a default export",
    "serve -c empty.config.ts",
    USAGE,
    "empty.config.ts: no default export; expected a configuration, a table of mounts or an app",
  ],
  [
    "a missing file of settings",
    "serve -c none.config.ts",
    FAILED,
    /^configuration file none\.config\.ts not found \(looked for \/.*none\.config\.ts\)$/,
  ],
  ["a path that is none", "fetch app.ts", USAGE, 'fetch: found "app.ts", expected a path that starts with /'],
  ["no path", "fetch", USAGE, "gw fetch <path> [app]: name a path, such as gw fetch /"],
  ["a bad header", "fetch / app.ts -H nonsense", USAGE, "--header: found \"nonsense\", expected 'Name: value'"],
  ["missing data", "fetch / app.ts -d @none", FAILED, /^cannot read --data @none: ENOENT/],
  ["a missing module", "serve nope.ts", FAILED, /^app file nope\.ts not found \(looked for \/.*nope\.ts\)$/],
  ["a syntax error", "serve broken.ts", FAILED, /^cannot load broken\.ts: SyntaxError: .+ \(broken\.ts:2\)$/],
  [
    "a syntax error in JavaScript",
    "serve broken.mjs",
    FAILED,
    "cannot load broken.mjs: SyntaxError: Unexpected token ';' (broken.mjs:2)",
  ],
  [
    "a syntax error in an imported file",
    "serve deep.ts",
    FAILED,
    /^cannot load deep\.ts: SyntaxError: .+ \(broken\.ts:2\)$/,
  ],
  [
    "a missing package",
    "serve missing-package.ts",
    FAILED,
    /^cannot load missing-package\.ts: Cannot find (?:package|module) 'no-such-package' imported from \/.*missing-package\.ts$/,
  ],
  [
    "a missing import",
    "serve missing-file.ts",
    FAILED,
    /^cannot load missing-file\.ts: Cannot find module '.*nope\.ts' imported from \/.*missing-file\.ts$/,
  ],
  [
    "a module that throws",
    "serve throws.ts",
    FAILED,
    /^cannot load throws\.ts: TypeError: no database \(throws\.ts:\d\)$/,
  ],
  ["a module that throws no error", "serve throws-text.ts", FAILED, 'cannot load throws-text.ts: threw "just text"'],
  [
    "no default export",
    "serve named.ts",
    FAILED,
    "named.ts has no default export; export the app as default, or name it: named.ts:application (it exports application)",
  ],
  [
    "a missing export",
    "serve named.ts:aplication",
    FAILED,
    'named.ts does not export "aplication" (did you mean "application"?); it exports application',
  ],
  ["no export at all", "serve empty.ts", FAILED, "empty.ts exports nothing; export the app as default"],
  [
    "no parameters",
    "serve none.ts",
    FAILED,
    "none.ts: cannot tell the shape of a function with 0 parameters; say which with --interface handler|fetch|wsgi|asgi",
  ],
  [
    "rest parameters",
    "serve rest.ts",
    FAILED,
    /^rest\.ts: cannot tell the shape of a function with rest or default parameters/,
  ],
  [
    "default parameters",
    "serve default.ts",
    FAILED,
    /^default\.ts: cannot tell the shape of a function with rest or default parameters/,
  ],
  ["a class", "serve class.ts", FAILED, /^class\.ts: found a class, expected an App/],
  [
    "an Express app",
    "serve express.ts",
    FAILED,
    "express.ts: found an Express-style app; export fromNodeHandler(app) of @gw/http instead",
  ],
  ["text", "serve text.ts", FAILED, /^text\.ts: found a string, expected an App/],
  [
    "a program in another language",
    "serve program.php",
    FAILED,
    /^cannot load program\.php: found a \.php file, expected .*; to run it as a CGI program: cgi:program\.php$/,
  ],
  ["a missing program", "serve cgi:./none", FAILED, /^app "cgi:\.\/none": \/.*none is not there, expected a file$/],
  [
    "an unreadable certificate",
    "serve app.ts -p 0 --ssl-certfile none.pem",
    FAILED,
    /^tls: cannot use the certificate file \/.*none\.pem: ENOENT/,
  ],
  [
    "a key of another certificate",
    "serve app.ts -p 0 --ssl-certfile first.pem --ssl-keyfile second.key",
    FAILED,
    /^tls: cannot use the certificate .*first\.pem and its key .*second\.key: /,
  ],
  [
    "an address of another machine",
    "serve app.ts -b 192.0.2.1:0",
    FAILED,
    /^cannot listen on 192\.0\.2\.1:0: no network interface of this machine has this address$/,
  ],
  [
    "a descriptor that is no socket",
    "serve app.ts --fd 99",
    FAILED,
    "cannot listen on fd://99: the descriptor is no bound socket",
  ],
  [
    "a folder that is not there",
    "serve app.ts -b unix:./none/gw.sock",
    FAILED,
    /^cannot listen on unix:.*none\/gw\.sock: there is no such directory$/,
  ],
  ["an app that does not start", "serve failing.ts -p 0", FAILED, "the app did not start: no license"],
  [
    "a pid file that cannot be",
    "serve app.ts -p 0 --pid none/gw.pid",
    FAILED,
    /^cannot write --pid .*none\/gw\.pid: ENOENT/,
  ],
  [
    "a folder to watch that is not there",
    "dev app.ts -p 0 --reload-dir none",
    FAILED,
    /^cannot watch \/.*none: ENOENT/,
  ],
];

describe("one clear line for", () => {
  test.each(CASES)("%s: gw %s", async (_what, words, code, line) => {
    const ended = await gw(folderWith(files), words.split(" "));
    expect(ended.stdout).toBe("");
    const [said, ...rest] = ended.stderr.split("\n");
    expect(said?.startsWith("gw: ")).toBe(true);
    if (typeof line === "string") expect(said).toBe(`gw: ${line}`);
    else expect(said?.slice(4)).toMatch(line);
    expect(rest).toEqual([""]);
    expect(ended.code).toBe(code);
  });
});

test("a variable that cannot be read is named as it is set", async () => {
  const ended = await gw(folderWith(files), ["serve", "app.ts"], { environment: { GW_PORT: "eighty" } });
  expect(ended).toEqual({
    code: USAGE,
    stdout: "",
    stderr: 'gw: GW_PORT: found "eighty", expected a port from 0 (any free one) to 65535\n',
  });
});

test("a port in use: nothing else listens, no file is left behind", async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  const folder = folderWith(files);
  const words = ["serve", "app.ts", "-b", "unix:./gw.sock", "-b", `127.0.0.1:${port}`, "--pid", "gw.pid"];
  const ended = await gw(folder, words);
  expect(ended).toEqual({
    code: FAILED,
    stdout: "",
    stderr: `gw: cannot listen on 127.0.0.1:${port}: the address is in use\n`,
  });
  expect(existsSync(join(folder.path, "gw.sock"))).toBe(false);
  expect(readdirSync(folder.path).filter((name) => name.startsWith("gw.pid") || name.startsWith(".g"))).toEqual([]);
});

test("the stack is there for who asks", async () => {
  const folder = folderWith(files);
  const { stderr } = await gw(folder, ["serve", "throws.ts"], { environment: { GW_LOG_LEVEL: "debug" } });
  expect(stderr).toMatch(
    /^gw: cannot load throws\.ts: TypeError: no database .*\nTypeError: no database\nat all\n {4}at .*throws\.ts/,
  );
});
