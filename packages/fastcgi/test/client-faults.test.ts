import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, type Logger, silentLogger } from "@gw/core";
import { type RunningApp, run, type SendInit, type TestResponse } from "@gw/core/testing";
import { afterEach, describe, expect, test } from "vitest";
import { RecordType, writeEndRequest, writeRecord } from "../src/codec/index.ts";
import { type FastcgiOptions, fastcgi } from "../src/index.ts";
import { fakeBackend, type Script, type Visit } from "./fake-backend.ts";

const running: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

type Backend = Awaited<ReturnType<typeof fakeBackend>>;

async function backend(script: Script, onConnect?: (visit: Visit) => void): Promise<Backend> {
  const made = await fakeBackend(script, onConnect);
  running.push(() => made.close());
  return made;
}

async function app(options: FastcgiOptions, log: Logger = silentLogger): Promise<RunningApp> {
  const started = await run(fastcgi(options), { context: createContext({ log }) });
  running.push(() => started.stop(AbortSignal.abort()));
  return started;
}

async function ask(script: Script, init: SendInit = {}, options: Partial<FastcgiOptions> = {}): Promise<TestResponse> {
  const { address } = await backend(script);
  return (await app({ address, ...options })).request("/x", init);
}

const hello: Script = ({ kind }, visit) => {
  if (kind !== "inputEnd") return;
  visit.output("Content-Type: text/plain\r\n\r\nhello");
  visit.end();
};

const post: SendInit = { method: "POST", body: "data" };

test("R-F20: an answer that is over holds neither a timer nor its memory, in whatever pieces it came", async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  let answers = 0;
  const { address } = await backend(({ kind }, visit) => {
    if (kind !== "inputEnd") return;
    const [head, body, end] = [
      writeRecord(RecordType.stdout, 1, Buffer.from("Content-Type: text/plain\r\n\r\n")),
      writeRecord(RecordType.stdout, 1, Buffer.from("hello")),
      writeEndRequest(1, 0, "complete"),
    ] as const;
    if (answers++ % 2 === 0) visit.socket.write(Buffer.concat([head, body, end]));
    else for (const piece of [head, body, end]) visit.socket.write(piece);
  });
  const client = await app({ address });
  const before = timers();
  for (let at = 0; at < 20; at++) expect((await client.request("/x", {})).text()).toBe("hello");
  expect(timers()).toBeLessThan(before + 10); // others come and go
});

describe("what a backend does wrong", () => {
  test("R-F15: it closes at once", async () => {
    const { address, visits } = await backend(
      () => {},
      ({ socket }) => socket.destroy(),
    );
    const client = await app({ address });
    expect((await client.request("/", post)).status).toBe(502);
    expect(visits.length).toBe(1);
  });

  test("R-F15: it answers nothing", async () => {
    const answer = await ask(({ kind }, visit) => kind === "inputEnd" && visit.end());
    expect(answer.status).toBe(502);
  });

  test("R-F16: half an answer is cut, whatever its length", async () => {
    for (const length of ["", "Content-Length: 100\r\n"]) {
      const answer = await ask(({ kind }, visit) => {
        if (kind !== "inputEnd") return;
        visit.output(`Content-Type: text/plain\r\n${length}\r\nhalf`);
        visit.socket.end();
      });
      expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "half", "cut"]);
    }
  });

  test("R-F16: fewer bytes than its Content-Length are a cut", async () => {
    const answer = await ask(({ kind }, visit) => {
      if (kind !== "inputEnd") return;
      visit.output("Content-Type: text/plain\r\nContent-Length: 100\r\n\r\n");
      setImmediate(() => {
        visit.output("short");
        visit.end();
      });
    });
    expect(answer.outcome.result === "cut" || answer.status === 502).toBe(true);
  });

  test("more bytes than its Content-Length are dropped", async () => {
    const answer = await ask(({ kind }, visit) => {
      if (kind !== "inputEnd") return;
      visit.output("Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nfour\n\n");
      visit.end();
    });
    expect([answer.text(), answer.outcome.result]).toEqual(["four", "sent"]);
  });

  test("R-F15: data of another request is never delivered", async () => {
    const answer = await ask(({ kind }, visit) => {
      if (kind !== "inputEnd") return;
      visit.socket.write(writeRecord(RecordType.stdout, 2, Buffer.from("Content-Type: text/plain\r\n\r\nsecret")));
    });
    expect(answer.status).toBe(502);
    expect(answer.text()).not.toContain("secret");
  });

  test("R-F15: garbage is a 502", async () => {
    const answer = await ask(({ kind }, { socket }) => kind === "inputEnd" && socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    expect(answer.status).toBe(502);
  });

  test("R-F17: a malformed header block is a 502", async () => {
    for (const head of [
      "Bad Header: x\r\n",
      "Content-Type: a\r\nContent-Type: b\r\n",
      "Status: 100\r\n",
      "X: a\0b\r\n",
    ]) {
      const answer = await ask(({ kind }, visit) => {
        if (kind !== "inputEnd") return;
        visit.output(`${head}\r\nbody`);
        visit.end();
      });
      expect(answer.status, head).toBe(502);
    }
  });

  test("R-F15: overloaded is a 503 with Retry-After, an unknown role a 502", async () => {
    const refuse =
      (status: "overloaded" | "unknownRole"): Script =>
      ({ kind }, { socket }) =>
        kind === "inputEnd" && socket.write(writeEndRequest(1, 0, status));
    const overloaded = await ask(refuse("overloaded"));
    expect([overloaded.status, overloaded.headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await ask(refuse("unknownRole"))).status).toBe(502);
  });

  test("R-F19: silence is a 504, and so is a header block that drips", async () => {
    expect((await ask(() => {}, {}, { headerTimeoutMs: 30 })).status).toBe(504);
    let drip: NodeJS.Timeout | undefined;
    const slow = await ask(
      ({ kind }, visit) => {
        if (kind === "inputEnd") drip = setInterval(() => visit.output("X"), 10);
      },
      {},
      { headerTimeoutMs: 100 },
    );
    clearInterval(drip);
    expect(slow.status).toBe(504);
  });

  test("R-F19: a gap in the body that is too long cuts the answer", async () => {
    const answer = await ask(
      ({ kind }, visit) => kind === "inputEnd" && visit.output("Content-Type: text/plain\r\n\r\nbegun"),
      {},
      { idleTimeoutMs: 50 },
    );
    expect([answer.text(), answer.outcome.result]).toEqual(["begun", "cut"]);
  });

  test("R-F18: its errors go to the log, line by line, not to the client", async () => {
    const lines: unknown[] = [];
    const log: Logger = { ...silentLogger, warn: (...words: unknown[]) => lines.push(words[0]), child: () => log };
    const { address } = await backend(({ kind }, visit) => {
      if (kind !== "inputEnd") return;
      visit.socket.write(writeRecord(RecordType.stderr, 1, Buffer.from("PHP Warning: one\nand two\n")));
      visit.output("Content-Type: text/plain\r\n\r\nfine");
      visit.end();
    });
    const answer = await (await app({ address }, log)).request();
    expect(answer.text()).toBe("fine");
    expect(lines).toEqual(["PHP Warning: one", "and two"]);
  });
});

describe("connections", () => {
  test("R-F13: a clean exchange keeps the connection, the one used last goes first", async () => {
    const { address, visits } = await backend(hello);
    const client = await app({ address });
    for (let at = 0; at < 5; at++) expect((await client.request()).text()).toBe("hello");
    expect(visits.length).toBe(1);
  });

  test("R-F13: bytes left over close the connection", async () => {
    const { address, visits } = await backend((event, visit) => {
      hello(event, visit);
      if (event.kind === "inputEnd") visit.output("left over");
    });
    const client = await app({ address });
    expect((await client.request()).text()).toBe("hello");
    expect((await client.request()).text()).toBe("hello");
    expect(visits.length).toBe(2);
  });

  test("R-F13: half a record left over closes it, too", async () => {
    const { address, visits } = await backend((event, visit) => {
      hello(event, visit);
      if (event.kind === "inputEnd") visit.socket.write(Buffer.from([1, RecordType.stdout, 0]));
    });
    const client = await app({ address });
    for (let at = 0; at < 3; at++) expect((await client.request()).text()).toBe("hello");
    expect(visits.length).toBe(3);
  });

  test("R-F14: a kept connection that breaks costs nothing that may be repeated", async () => {
    const { address, visits } = await backend((event, visit) => {
      const requests = visit.events.filter(({ kind }) => kind === "request").length;
      if (requests === 2) visit.socket.destroy();
      else hello(event, visit);
    });
    const client = await app({ address });
    expect((await client.request()).status).toBe(200);
    expect((await client.request()).status).toBe(200);
    expect(visits.length).toBe(2);
  });

  test("R-F14: a second break is a 502, and a POST gets a fresh connection and no second try", async () => {
    const { address, visits } = await backend((event, visit) => {
      if (visit.number === 0) hello(event, visit);
      else visit.socket.destroy();
    });
    const client = await app({ address });
    expect((await client.request()).status).toBe(200);
    expect((await client.request("/", post)).status).toBe(502);
    expect(visits.length).toBe(2);
    expect((await client.request()).status).toBe(502);
    expect(visits.length).toBe(4);
  });

  test("R-F14: no second try once a byte of an answer has come", async () => {
    const { address, visits } = await backend(({ kind }, visit) => {
      if (kind !== "inputEnd") return;
      visit.output("Content-");
      visit.socket.end();
    });
    expect((await (await app({ address })).request()).status).toBe(502);
    expect(visits.length).toBe(1);
  });

  test("R-F23: a backend that is down is a 502 at once, and back by itself", async () => {
    const { address, path } = await backend(hello);
    const down = await app({ address: `unix:${path}-none`, pauseMs: [20, 20] });
    expect((await down.request()).status).toBe(502);
    const two = await app({ addresses: [`unix:${path}-none`, address] });
    for (let at = 0; at < 4; at++) expect((await two.request("/", post)).status).toBe(200);
  });

  test("R-F23: requests beyond the connections wait, then 503 with Retry-After", async () => {
    const { address } = await backend(() => {});
    const client = await app({ address, maxConnections: 1, maxQueued: 1, queueTimeoutMs: 30, headerTimeoutMs: 300 });
    const answers = await Promise.all([client.request(), client.request(), client.request()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([503, 503, 504]);
    expect(answers.find(({ status }) => status === 503)?.headers.get("retry-after")).toBe("1");
  });
});

describe("bodies", () => {
  test("R-F22: an early answer arrives while the upload is under way", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { address, visits } = await backend(({ kind }, visit) => {
      if (kind !== "input" || visit.input.length > 1) return;
      visit.output("Status: 413\r\nContent-Type: text/plain\r\n\r\nno more");
      visit.end();
    });
    const client = await app({ address });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("first");
      await held;
    }
    const answer = await client.request("/", { method: "POST", body: body(), headers: { "Content-Length": "1000" } });
    expect([answer.status, answer.text()]).toEqual([413, "no more"]);
    release();
    expect((await client.request("/", { method: "POST", body: "x" })).status).toBe(413);
    expect(visits.length, "the connection with half an upload is not used again").toBe(2);
  });

  test("a body without a length arrives with its length", async () => {
    const { address, visits } = await backend(hello);
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("ab");
      yield Buffer.from("cd");
    }
    await (await app({ address })).request("/", { method: "POST", body: body() });
    const [visit] = visits;
    const begun = visit?.events.find(({ kind }) => kind === "request");
    expect(begun?.kind === "request" && begun.params.get("CONTENT_LENGTH")).toBe("4");
    expect(Buffer.concat(visit?.input ?? []).toString()).toBe("abcd");
  });

  test("R-F21: a client that leaves closes the connection", async () => {
    const left = new AbortController();
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { address } = await backend(({ kind }, { socket }) => {
      if (kind !== "inputEnd") return;
      socket.on("close", closed);
      left.abort(new Error("left"));
    });
    await (await app({ address })).request("/", { signal: left.signal });
    await isClosed;
  }, 1_000);

  test("R-F20: a client that does not read holds the backend back", async () => {
    let written = 0;
    const chunk = "x".repeat(60_000);
    const { address } = await backend(({ kind }, visit) => {
      if (kind !== "inputEnd") return;
      visit.output("Content-Type: text/plain\r\n\r\n");
      const fill = (): void => {
        while (written < 60_000_000) {
          written += chunk.length;
          if (!visit.socket.write(writeRecord(RecordType.stdout, 1, Buffer.from(chunk)))) {
            visit.socket.once("drain", fill);
            return;
          }
        }
        visit.end();
      };
      fill();
    });
    let seen = 0;
    let heldAt = 0;
    const answer = await (await app({ address })).request("/", {
      async onChunk(one) {
        if (seen === 0) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          heldAt = written;
        }
        seen += one.length;
      },
    });
    expect(heldAt).toBeLessThan(4_000_000);
    expect(answer.bytes.length).toBe(60_000_000);
  });
});

test("R-F12: a variable that fits into no record is a 431 of ours", async () => {
  const { address, visits } = await backend(hello);
  const client = await app({ address });
  const answer = await client.request("/", { headers: { "X-Long": "x".repeat(70_000) } });
  expect(answer.status).toBe(431);
  expect(visits[0]?.events ?? []).toEqual([]);
});

test("R-F10: no client header sets or shadows what only we set", async () => {
  const { address, visits } = await backend(hello);
  const client = await app({ address, variables: { SCRIPT_FILENAME: "/srv/app.php" } });
  const names = [
    "SCRIPT_FILENAME",
    "Script-Filename",
    "DOCUMENT-ROOT",
    "PHP-VALUE",
    "PHP_ADMIN_VALUE",
    "HTTPS",
    "Remote-User",
  ];
  await client.request("/x", { headers: Object.fromEntries(names.map((name) => [name, "evil"])) });
  const begun = visits[0]?.events.find(({ kind }) => kind === "request");
  const params = begun?.kind === "request" ? begun.params : new Map<string, string>();
  expect(params.get("SCRIPT_FILENAME")).toBe("/srv/app.php");
  for (const name of ["DOCUMENT_ROOT", "PHP_VALUE", "PHP_ADMIN_VALUE", "HTTPS", "REMOTE_USER", "HTTP_REMOTE_USER"]) {
    expect(params.has(name), name).toBe(false);
  }
});

describe("files that a backend names", () => {
  const naming =
    (field: string): Script =>
    ({ kind }, visit) => {
      if (kind !== "inputEnd") return;
      visit.output(`Content-Type: text/x-test\r\n${field}\r\n\r\nbody of the backend`);
      visit.end();
    };
  const root = import.meta.dirname;

  test("X-Sendfile sends a file below an allowed root, with the backend's type", async () => {
    const answer = await ask(naming(`X-Sendfile: ${root}/client.ts`), {}, { sendfileRoots: [root] });
    expect(answer.text()).toContain("A web server for the tests");
    expect([answer.headers.get("content-type"), answer.headers.has("x-sendfile")]).toEqual(["text/x-test", false]);
  });

  test("X-Accel-Redirect sends a file below the directory of its prefix", async () => {
    const answer = await ask(naming("X-Accel-Redirect: /in/client.ts"), {}, { accelRoots: { "/in": root } });
    expect(answer.text()).toContain("A web server for the tests");
  });

  describe("R-F17: nothing outside of the allowed directories", () => {
    /** `in` is allowed; all else holds a file with the word "secret". */
    async function folders(): Promise<string> {
      const top = await mkdtemp(join(tmpdir(), "gw-hand-over-"));
      running.push(() => rm(top, { recursive: true, force: true }));
      await mkdir(join(top, "in"));
      await mkdir(join(top, "in/sub"));
      await mkdir(join(top, "in-other"));
      await writeFile(join(top, "in/open"), "open");
      await writeFile(join(top, "secret"), "secret");
      await writeFile(join(top, "in-other/secret"), "secret");
      await symlink(join(top, "secret"), join(top, "in/link"));
      await symlink(join(top, "in-other"), join(top, "in/folder"));
      return top;
    }

    /** What a client gets where a backend names a file; `%TOP` is the folder above the allowed one. */
    async function named(field: string): Promise<TestResponse> {
      const top = await folders();
      const options = { sendfileRoots: [join(top, "in")], accelRoots: { "/in": join(top, "in") } };
      return ask(naming(field.replace("%TOP", top)), {}, options);
    }

    test.each<[string, number]>([
      ["X-Sendfile: %TOP/in/open", 200],
      ["X-Sendfile: %TOP/in/../in/open", 200],
      ["X-Sendfile: %TOP/secret", 502],
      ["X-Sendfile: %TOP/in/../secret", 502],
      ["X-Sendfile: %TOP/in/..//secret", 502],
      ["X-Sendfile: %TOP/in/%2e%2e/secret", 404], // a file's name, not a URL: nothing is decoded
      ["X-Sendfile: %TOP/in/..%2fsecret", 502],
      ["X-Sendfile: %TOP/in-other/secret", 502],
      ["X-Sendfile: %TOP/in/link", 404],
      ["X-Sendfile: %TOP/in/folder/secret", 404],
      ["X-Sendfile: in/open", 502],
      ["X-Sendfile: ../secret", 502],
      ["X-Sendfile: %TOP/in", 502],
      ["X-Sendfile: %TOP/in/sub", 404],
      ["X-Accel-Redirect: /in/sub", 404],
      ["X-Accel-Redirect: /in/sub/", 404],
      ["X-Accel-Redirect: /in/.", 404],
      ["X-Accel-Redirect: /in/open", 200],
      ["X-Accel-Redirect: /in/%6fpen?x=1", 200],
      ["X-Accel-Redirect: /in/../secret", 404],
      ["X-Accel-Redirect: /in/%2e%2e/secret", 404],
      ["X-Accel-Redirect: /in/..%2fsecret", 404],
      ["X-Accel-Redirect: /in/folder/../secret", 404],
      ["X-Accel-Redirect: /in/link", 404],
      ["X-Accel-Redirect: /in/folder/secret", 404],
      ["X-Accel-Redirect: /in-other/secret", 502],
      ["X-Accel-Redirect: in/open", 502],
      ["X-Accel-Redirect: /other/open", 502],
      ["X-Accel-Redirect: /in", 502],
      ["X-Accel-Redirect: %TOP/secret", 502],
    ])("%s is a %i", async (field, status) => {
      const answer = await named(field);
      expect(answer.status).toBe(status);
      expect(answer.text()).not.toContain("secret");
      expect(answer.text()).not.toContain("body of the backend");
      if (status === 200) expect(answer.text()).toBe("open");
    });
  });

  test("without allowed directories the field is dropped and the body sent", async () => {
    const answer = await ask(naming("X-Sendfile: /etc/passwd"));
    expect([answer.text(), answer.headers.has("x-sendfile")]).toEqual(["body of the backend", false]);
  });
});
