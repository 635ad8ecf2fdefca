import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { createContext, type Logger } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect } from "vitest";
import { type CgiProgramOptions, cgiProgram } from "../src/index.ts";
import { isAlive } from "./processes.ts";
import { shellProgram, temporaryDirectory, writePrograms } from "./programs.ts";
import { serveApp } from "./serve.ts";
import { type Exceptions, onEverySpawner } from "./spawners.ts";

const fcgiwrapCannot: Exceptions = [
  [/hangs before its header/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/ignores TERM/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/stops in mid-answer/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/drips for ever/, "ends no program: it neither passes a signal on nor notices that we left"],
  [
    /though the program goes on, until the time limit/,
    "ends no program: it neither passes a signal on nor notices that we left",
  ],
  [/goes on after its answer is waited for/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/a child that holds/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/though a child holds/, "holds output back until it has a buffer full or the program ends"],
  [/whose program is killed/, "says 0, whatever the exit"],
  [/whose program exits with a code/, "says 0, whatever the exit"],
  [/reaches an HTTP client as one that broke off/, "says 0, whatever the exit"],
  [/may ignore exit codes/, "says 0, whatever the exit"],
  [/is a directory is a 502/, "answers 403 itself"],
  [/exceed what the system takes/, "closes the connection instead"],
  [/R-C14: the program's group/, "ends no program: it neither passes a signal on nor notices that we left"],
];

onEverySpawner((spawner, { test }) => {
  const run = (script: string, options: Omit<CgiProgramOptions, "command"> = {}): ReturnType<typeof cgiProgram> =>
    cgiProgram({ spawner, command: shellProgram(script), stopTimeoutMs: 200, ...options });

  const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;

  /** A place where a program leaves its process id. */
  function pidFile(): { path: string; pid: () => number } {
    const path = `${temporaryDirectory()}/pid`;
    return { path, pid: () => Number(readFileSync(path, "utf8")) };
  }

  describe("programs that take too long", () => {
    test("R-C19: one that hangs before its header is a 504, and is ended", async () => {
      const file = pidFile();
      const answer = await request(run(`echo $$ > ${file.path}; sleep 60`, { headerTimeoutMs: 100 }));
      expect([answer.status, answer.text()]).toEqual([504, "504 Gateway Timeout\n"]);
      await expect.poll(() => isAlive(file.pid())).toBe(false);
    });

    test("R-C13: one that ignores TERM is killed, with the children it started", async () => {
      const parent = pidFile();
      const child = pidFile();
      const script = `trap '' TERM; (trap '' TERM; sh -c 'echo $$ > ${child.path}; while :; do sleep 1; done') & echo $$ > ${parent.path}; while :; do sleep 1; done`;
      const answer = await request(run(script, { timeoutMs: 200, stopTimeoutMs: 100 }));
      expect(answer.status).toBe(504);
      await expect.poll(() => isAlive(parent.pid()) || isAlive(child.pid())).toBe(false);
    });

    test("R-C19: one that stops in mid-answer is cut at the idle limit", async () => {
      const answer = await request(run(`${HEAD}; echo start; sleep 60`, { idleTimeoutMs: 100 }));
      expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "start\n", "cut"]);
      expect(answer.outcome.error).toMatchObject({ code: "GW_CGI_TIMEOUT" });
    });

    test("R-C13: one that drips for ever is cut at the limit in all", async () => {
      const answer = await request(run(`${HEAD}; while :; do echo drip; sleep 0.02; done`, { timeoutMs: 200 }));
      expect(answer.outcome).toMatchObject({
        result: "cut",
        error: { message: expect.stringContaining("total limit") },
      });
    });

    test("R-C18: an answer ends with the end of output, though the program goes on, until the time limit", async () => {
      const file = pidFile();
      const script = `${HEAD}; echo $$ > ${file.path}; echo done; exec >&- 2>&-; sleep 60`;
      const { url } = await serveApp(run(script, { timeoutMs: 600 }));
      expect(await (await fetch(url)).text()).toBe("done\n");
      expect(isAlive(file.pid())).toBe(true);
      await expect.poll(() => isAlive(file.pid()), { timeout: 3_000 }).toBe(false);
    });

    test("a program that goes on after its answer is waited for at the end, at most until the deadline", async () => {
      const file = pidFile();
      const app = run(
        `${HEAD}; echo $$ > ${file.path}; exec >&- 2>&-; trap 'exit 0' TERM; while :; do sleep 0.01; done`,
      );
      for (const deadline of [() => AbortSignal.timeout(50), () => AbortSignal.abort()]) {
        await app.handle(testRequest("/", { method: "HEAD" }));
        await expect.poll(() => isAlive(file.pid())).toBe(true);
        await app.stop?.(deadline());
        expect(isAlive(file.pid())).toBe(false);
      }
    });

    test("R-C18: a child that holds the output open keeps the answer open until the time limit, then is ended", async () => {
      const file = pidFile();
      const script = `${HEAD}; echo done; sh -c 'echo $$ > ${file.path}; sleep 60' & exit 0`;
      const answer = await request(run(script, { timeoutMs: 300 }));
      expect([answer.text(), answer.outcome.result]).toEqual(["done\n", "cut"]);
      await expect.poll(() => isAlive(file.pid())).toBe(false);
    });

    test("R-C18: with a Content-Length the answer is whole though a child holds the output open", async () => {
      const script = String.raw`printf 'Content-Type: text/plain\nContent-Length: 5\n\ndone\n'; sleep 60 & exit 0`;
      const answer = await request(run(script, { timeoutMs: 200 }));
      expect([answer.text(), answer.outcome.result]).toEqual(["done\n", "sent"]);
    });

    test("time in which the client does not read is not the program's", async () => {
      const script = `${HEAD}; head -c 3000000 /dev/zero`;
      const { port, outcomes } = await serveApp(run(script, { timeoutMs: 150, idleTimeoutMs: 150 }));
      const socket = connect(port, "127.0.0.1").pause();
      socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await setTimeout(450); // longer than any limit: this is what the test is about
      let bytes = 0;
      for await (const chunk of socket) bytes += chunk.length;
      expect(bytes).toBeGreaterThan(3_000_000);
      expect(outcomes.map(({ result }) => result)).toEqual(["sent"]);
    });
  });

  describe("programs that break off", () => {
    test.each([
      ["is killed", "kill -KILL $$"],
      ["exits with a code other than 0", "exit 3"],
    ])("R-C19: an answer whose program %s is cut", async (_, end) => {
      const answer = await request(run(`${HEAD}; echo half; ${end}`));
      expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "half\n", "cut"]);
      expect(answer.outcome.error).toMatchObject({ code: "GW_CGI_ANSWER_CUT" });
    });

    test("R-C19: a cut answer reaches an HTTP client as one that broke off", async () => {
      const { url } = await serveApp(run(`${HEAD}; echo half; kill -KILL $$`));
      const response = await fetch(url);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow();
    });

    test("R-C19: an answer shorter than its Content-Length is cut", async () => {
      const answer = await request(run(String.raw`printf 'Content-Type: text/plain\nContent-Length: 10\n\nhalf'`));
      expect([answer.text(), answer.outcome.result]).toEqual(["half", "cut"]);
    });

    test("an exit code other than 0 after a whole answer of known length changes nothing", async () => {
      const answer = await request(
        run(String.raw`printf 'Content-Type: text/plain\nContent-Length: 5\n\nwhole'; exit 1`),
      );
      expect([answer.text(), answer.outcome.result]).toEqual(["whole", "sent"]);
    });

    test("a mount may ignore exit codes, for sloppy scripts, but not signals", async () => {
      const sloppy = await request(run(`${HEAD}; echo whole; false`, { checkExitCode: false }));
      expect([sloppy.text(), sloppy.outcome.result]).toEqual(["whole\n", "sent"]);
      const killed = await request(run(`${HEAD}; echo half; kill -KILL $$`, { checkExitCode: false }));
      expect([killed.text(), killed.outcome.result]).toEqual(["half\n", "cut"]);
    });
  });

  describe("programs that cannot be started", () => {
    test.each([
      ["is missing", "/no/such/program"],
      ["is not executable", "/etc/passwd"],
      ["is a directory", "/etc"],
      ["is on no PATH", "gw-no-such-program"],
    ])("R-C12: one that %s is a 502 that names no file", async (_, command) => {
      const answer = await request(cgiProgram({ spawner, command }));
      expect([answer.status, answer.text()]).toEqual([502, "502 Bad Gateway\n"]);
    });

    test("a script whose interpreter is missing is a 502", async () => {
      const directory = writePrograms(temporaryDirectory(), { "a.cgi": "#!/no/such/interpreter\n" });
      expect((await request(cgiProgram({ spawner, command: `${directory}/a.cgi` }))).status).toBe(502);
    });

    test("variables that exceed what the system takes are a 431", async () => {
      const answer = await request(run(HEAD), "/", { headers: { "X-Long": "x".repeat(200_000) } });
      expect(answer.status).toBe(431);
    });
  });

  describe("clients that leave", () => {
    test("R-C14: the program's group is ended when the client leaves before the header", async () => {
      const file = pidFile();
      const { url } = await serveApp(run(`echo $$ > ${file.path}; sleep 60`));
      const leaving = new AbortController();
      const fetched = fetch(url, { signal: leaving.signal }).catch(() => "left");
      await expect.poll(() => existsSync(file.path) && file.pid() > 0).toBe(true);
      leaving.abort();
      expect(await fetched).toBe("left");
      await expect.poll(() => isAlive(file.pid())).toBe(false);
    });

    test("R-C14: the program's group is ended when the client leaves in mid-answer", async () => {
      const file = pidFile();
      const { url, outcomes } = await serveApp(run(`echo $$ > ${file.path}; ${HEAD}; echo start; sleep 60`));
      const leaving = new AbortController();
      const response = await fetch(url, { signal: leaving.signal });
      await response.body?.getReader().read();
      leaving.abort();
      await expect.poll(() => isAlive(file.pid())).toBe(false);
      await expect.poll(() => outcomes.map(({ result }) => result)).toEqual(["gone"]);
    });

    test("R-C14: a mount may let the program finish", async () => {
      const mark = `${temporaryDirectory()}/finished`;
      const file = pidFile();
      const script = `echo $$ > ${file.path}; ${HEAD}; echo start; while [ ! -e ${mark}.go ]; do sleep 0.02; done; head -c 1000000 /dev/zero; touch ${mark}`;
      const { url } = await serveApp(run(script, { endOnDisconnect: false, env: { NO_BUFFERING: "1" } }));
      const leaving = new AbortController();
      const response = await fetch(url, { signal: leaving.signal });
      await response.body?.getReader().read();
      leaving.abort();
      writeFileSync(`${mark}.go`, "");
      await expect.poll(() => existsSync(mark)).toBe(true);
    });
  });

  describe("standard error", () => {
    function collector(): { log: Logger; lines: { facts: Record<string, unknown>; message: string }[] } {
      const lines: { facts: Record<string, unknown>; message: string }[] = [];
      const make = (base: object): Logger => {
        const write = (facts: object | string, message = ""): void => {
          const given = typeof facts === "string" ? { message: facts } : { ...facts, message };
          lines.push({ facts: { ...base, ...given }, message: given.message });
        };
        const method = write as Logger["info"];
        return {
          trace: method,
          debug: method,
          info: method,
          warn: method,
          error: method,
          fatal: method,
          child: (facts) => make({ ...base, ...facts }),
        };
      };
      return { log: make({}), lines };
    }

    test("R-C16: it goes to the log with the request's id, never to the client", async () => {
      const { log, lines } = collector();
      const app = run(`echo 'something odd' >&2; ${HEAD}; echo fine`);
      const answer = await request(app, "/", { context: createContext({ log }) });
      expect(answer.text()).toBe("fine\n");
      const line = lines.find(({ message }) => message === "something odd");
      expect(line?.facts).toMatchObject({
        requestId: expect.any(String),
        program: expect.stringContaining("program.cgi"),
      });
    });

    test("R-C16: a flood of it neither stops the answer nor fills the log", async () => {
      const { log, lines } = collector();
      const app = run(`yes 'a line of noise' | head -n 200000 >&2; ${HEAD}; echo fine`);
      const answer = await request(app, "/", { context: createContext({ log }) });
      expect(answer.text()).toBe("fine\n");
      expect(lines.length).toBeGreaterThan(1);
      expect(lines.length).toBeLessThan(2_000);
    });
  });
}, fcgiwrapCannot);
