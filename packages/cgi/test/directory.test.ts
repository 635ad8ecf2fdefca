import { request } from "@gw/core/testing";
import { expect } from "vitest";
import { cgiBin } from "../src/index.ts";
import { PRINT_ENVIRONMENT, printedVariables, temporaryDirectory, writePrograms } from "./programs.ts";
import { type Exceptions, onEverySpawner } from "./spawners.ts";

const fcgiwrapCannot: Exceptions = [
  [/chooses the interpreter/, "runs the file itself"],
  [/R-C4: words/, "passes no arguments"],
];

onEverySpawner((spawner, { test, requires }) => {
  const root = writePrograms(temporaryDirectory(), {
    "env.cgi": PRINT_ENVIRONMENT,
    "tools/index.sh": `#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'; pwd; echo "$SCRIPT_NAME|$PATH_INFO"\n`,
    "hello.pl": 'print "Content-Type: text/plain\\n\\n", "perl ", join(",", @ARGV), " $ENV{PATH_INFO}\\n";\n',
    "hello.py": 'import os\nprint("Content-Type: text/plain\\n\\npython", os.environ["PATH_INFO"])\n',
  });
  const app = cgiBin({
    spawner,
    root,
    index: ["index.sh"],
    interpreters: { ".pl": "/usr/bin/perl", ".py": ["python3", "-I"] },
    path: process.env.PATH ?? "",
  });

  test("R-C1: SCRIPT_NAME and PATH_INFO meet at the program, and together are the decoded path", async () => {
    const answer = await request(app, "/app/env.cgi/a%2Fb/%EC%95%88", { mount: "/app" });
    const { SCRIPT_NAME, PATH_INFO, SCRIPT_FILENAME, DOCUMENT_ROOT, PATH_TRANSLATED, REQUEST_URI } = printedVariables(
      answer.text(),
    );
    expect({ SCRIPT_NAME, PATH_INFO, SCRIPT_FILENAME, DOCUMENT_ROOT, PATH_TRANSLATED, REQUEST_URI }).toEqual({
      SCRIPT_NAME: "/app/env.cgi",
      PATH_INFO: "/a/b/안",
      SCRIPT_FILENAME: `${root}/env.cgi`,
      DOCUMENT_ROOT: root,
      PATH_TRANSLATED: `${root}/a/b/안`,
      REQUEST_URI: "/app/env.cgi/a%2Fb/%EC%95%88",
    });
  });

  test("an index program runs in its own directory", async () => {
    expect((await request(app, "/tools/")).text()).toBe(`${root}/tools\n/tools/index.sh|\n`);
  });

  test("a directory without its slash is redirected to itself, query and all", async () => {
    const answer = await request(app, "/app/tools?x=%20", { mount: "/app" });
    expect([answer.status, answer.headers.get("location")]).toEqual([308, "/app/tools/?x=%20"]);
  });

  requires("perl")("an extension chooses the interpreter: perl", async () => {
    expect((await request(app, "/hello.pl/x?-e+print")).text()).toBe("perl  /x\n");
  });

  requires("python3")("an extension chooses the interpreter: python", async () => {
    expect((await request(app, "/hello.py/x")).text()).toBe("python /x\n");
  });

  requires("perl")(
    "R-C4: words of a query become arguments where the mount asks for it, and never options",
    async () => {
      const words = cgiBin({ spawner, root, interpreters: { ".pl": "/usr/bin/perl" }, queryArguments: true });
      expect((await request(words, "/hello.pl?one+two")).text()).toBe("perl one,two \n");
      expect((await request(words, "/hello.pl?one+-two")).text()).toBe("perl  \n");
    },
  );

  test("R-C12: what is not there is a 404, what may not run a 403, and neither sends text", async () => {
    expect((await request(app, "/none")).status).toBe(404);
    const refused = await request(cgiBin({ spawner, root: "/etc" }), "/passwd");
    expect([refused.status, refused.text()]).toEqual([403, "403 Forbidden\nthe program may not be run\n"]);
  });

  test("a root that is no directory stops the start with a clear error", async () => {
    await expect(request(cgiBin({ spawner, root: "/etc/passwd" }))).rejects.toMatchObject({
      code: "GW_CGI_OPTION",
      message: "root is a directory of programs, found none at /etc/passwd",
    });
  });
}, fcgiwrapCannot);
