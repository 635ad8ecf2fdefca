// Several requests over one connection to a backend that announces it: a scripted one that mixes them, and our own responder.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, type Spool, type SpoolStore, silentLogger, text } from "@gw/core";
import { fileSpool } from "@gw/core/node";
import { type RunningApp, run, type TestResponse } from "@gw/core/testing";
import { afterEach, describe, expect, test } from "vitest";
import { ApplicationConnection, type ApplicationEvent } from "../src/codec/application.ts";
import { RecordType, writeEndRequest, writeRecord } from "../src/codec/index.ts";
import { type FastcgiOptions, fastcgi, serveFastcgi } from "../src/index.ts";

const after: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of after.splice(0).reverse()) await one();
});

/** A connection of the client. */
interface Visit {
  readonly socket: Socket;
  readonly machine: ApplicationConnection;
  readonly requests: (ApplicationEvent & { kind: "request" })[];
  readonly aborted: number[];
  /** Requests that are there in full and were not answered. */
  readonly waiting: (ApplicationEvent & { kind: "request" })[];
  output(id: number, words: string): boolean;
  end(id: number): void;
}

type Script = (event: ApplicationEvent, visit: Visit) => void;

/** A backend that announces multiplexing. The connections that only ask for values are not counted. */
async function backend(script: Script, announced = "1") {
  const folder = await mkdtemp(join(tmpdir(), "gw-mpx-"));
  const visits: Visit[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const machine = new ApplicationConnection({ values: new Map([["FCGI_MPXS_CONNS", announced]]) });
    const visit: Visit = {
      socket,
      machine,
      requests: [],
      aborted: [],
      waiting: [],
      output: (id, words) => socket.write(writeRecord(RecordType.stdout, id, Buffer.from(words, "latin1"))),
      end(id) {
        socket.write(writeEndRequest(id, 0, "complete"));
        machine.finish(id);
      },
    };
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("data", (chunk) => {
      for (const event of machine.feed(chunk)) {
        if (event.kind === "reply") socket.write(event.bytes);
        if (event.kind === "request") {
          if (visit.requests.push(event) === 1) visits.push(visit);
        }
        if (event.kind === "abort") visit.aborted.push(event.id);
        if (event.kind === "inputEnd") {
          visit.waiting.push(visit.requests.findLast(({ id }) => id === event.id) as Visit["waiting"][number]);
        }
        script(event, visit);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "s"), resolve));
  after.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });
  return { address: `unix:${folder}/s`, visits };
}

async function client(options: FastcgiOptions): Promise<RunningApp> {
  const app = await run(fastcgi({ multiplex: true, ...options }), { context: createContext({ log: silentLogger }) });
  after.push(() => app.stop(AbortSignal.abort()));
  return app;
}

const HEAD = "Content-Type: text/plain\r\n\r\n";
const pathOf = (event: ApplicationEvent): string =>
  event.kind === "request" ? (event.params.get("PATH_INFO") ?? "") : "";
const all = (app: RunningApp, paths: readonly string[]): Promise<TestResponse[]> =>
  Promise.all(paths.map((path) => app.request(path)));
const texts = (answers: readonly TestResponse[]): string[] => answers.map((answer) => answer.text());

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 2_000) throw new Error("it did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Answers each request with its path, piece by piece and all mixed, as soon as `count` are there. */
const mixing =
  (count: number): Script =>
  (event, visit) => {
    if (event.kind !== "inputEnd" || visit.waiting.length < count) return;
    const waiting = visit.waiting.splice(0);
    for (const { id } of waiting) visit.output(id, HEAD);
    for (let at = 0; at < 8; at++) for (const request of waiting) visit.output(request.id, `${pathOf(request)} `);
    for (const { id } of waiting.reverse()) visit.end(id);
  };

describe("a backend that announces it", () => {
  test("requests share a connection, and each gets its own answer however they are mixed", async () => {
    const { address, visits } = await backend(mixing(6));
    const app = await client({ address });
    const paths = ["/a", "/b", "/c", "/d", "/e", "/f"];
    for (let round = 0; round < 3; round++) {
      expect(texts(await all(app, paths))).toEqual(paths.map((path) => `${path} `.repeat(8)));
    }
    expect(visits.length).toBe(1);
  });

  test("POSTs share it, too, while others are on it; each body arrives with its request", async () => {
    const bodies = new Map<number, string>();
    const { address, visits } = await backend((event, visit) => {
      if (event.kind === "input") bodies.set(event.id, (bodies.get(event.id) ?? "") + Buffer.from(event.bytes));
      if (event.kind !== "inputEnd" || visit.waiting.length < 4) return;
      for (const { id } of visit.waiting) {
        visit.output(id, `${HEAD}${bodies.get(id)}`);
        visit.end(id);
      }
    });
    const app = await client({ address });
    const sent = ["one", "two".repeat(20_000), "three", "four"];
    const answers = await Promise.all(sent.map((body) => app.request("/", { method: "POST", body })));
    expect(texts(answers)).toEqual(sent);
    expect(visits.length).toBe(1);
  });

  test("R-F21: a client that leaves aborts its request, and the others go on; its id is not used again before its end", async () => {
    const { address, visits } = await backend((event, visit) => {
      if (event.kind === "abort") visit.output(1, "late words of the one that was left");
      if (event.kind === "inputEnd" && event.id !== 1) {
        visit.output(event.id, `${HEAD}id ${event.id}`);
        if (visit.requests.length > 2) visit.end(event.id);
      }
    });
    const app = await client({ address });
    const left = new AbortController();
    const abandoned = app.request("/left", { signal: left.signal });
    await until(() => visits[0]?.requests.length === 1);
    const other = app.request("/other");
    await until(() => visits[0]?.requests.length === 2);
    left.abort(new Error("left"));
    await abandoned;
    await until(() => visits[0]?.aborted.length === 1);
    expect((await app.request("/third")).text()).toBe("id 3");
    visits[0]?.end(1);
    visits[0]?.end(2);
    expect((await other).text()).toBe("id 2");
    expect(visits.length).toBe(1);
  });

  test("R-F15: data of a request that is not under way costs all on the connection, and reaches nobody", async () => {
    const { address } = await backend((event, visit) => {
      if (event.kind !== "inputEnd" || visit.waiting.length !== 2) return;
      visit.output(7, `${HEAD}secret`);
    });
    const app = await client({ address });
    const answers = await Promise.all(["/a", "/b"].map((path) => app.request(path, { method: "POST", body: "x" })));
    expect(answers.map(({ status }) => status)).toEqual([502, 502]);
    for (const answer of answers) expect(answer.text()).not.toContain("secret");
  });

  test("R-F16: a connection that breaks cuts those who have begun; those who may be repeated get an own one", async () => {
    const { address, visits } = await backend((event, visit) => {
      if (event.kind !== "inputEnd") return;
      if (visits.length > 1) {
        visit.output(event.id, `${HEAD}again`);
        return visit.end(event.id);
      }
      if (visit.waiting.length !== 3) return;
      visit.output(1, `${HEAD}begun`);
      setImmediate(() => visit.socket.destroy());
    });
    const app = await client({ address });
    const [begun, ...waiting] = (await all(app, ["/a", "/b", "/c"])) as [TestResponse, TestResponse, TestResponse];
    expect([begun.text(), begun.outcome.result]).toEqual(["begun", "cut"]);
    expect(texts(waiting)).toEqual(["again", "again"]);
    expect(visits.length).toBe(3);
  });

  test("R-F4: FCGI_CANT_MPX_CONN after all: the request gets a connection of its own, and so do the next", async () => {
    const { address, visits } = await backend((event, visit) => {
      if (event.kind !== "inputEnd") return;
      if (event.id > 1) {
        visit.socket.write(writeEndRequest(event.id, 0, "cannotMultiplex"));
        return visit.machine.finish(event.id);
      }
      visit.output(event.id, `${HEAD}alone`);
      setTimeout(() => visit.end(event.id), 20);
    });
    const app = await client({ address });
    expect(texts(await all(app, ["/a", "/b", "/c"]))).toEqual(["alone", "alone", "alone"]);
    expect(visits.length).toBeGreaterThan(1);
    const before = visits.flatMap(({ requests }) => requests).filter(({ id }) => id > 1).length;
    await all(app, ["/a", "/b", "/c"]);
    expect(visits.flatMap(({ requests }) => requests).filter(({ id }) => id > 1).length).toBe(before);
  });

  test("R-F12: a request that is too large is a 431 of ours and disturbs nobody", async () => {
    const { address, visits } = await backend(mixing(2));
    const app = await client({ address });
    const others = app.request("/a");
    await until(() => visits[0]?.requests.length === 1);
    expect((await app.request("/", { headers: { "X-Long": "x".repeat(70_000) } })).status).toBe(431);
    expect(texts(await Promise.all([others, app.request("/b")]))).toEqual(["/a ".repeat(8), "/b ".repeat(8)]);
    expect(texts(await all(app, ["/c", "/d"]))).toEqual(["/c ".repeat(8), "/d ".repeat(8)]);
    expect(visits.length).toBe(1);
  });
});

test.each(["0", ""])("a backend that announces %j gets a connection for each", async (announced) => {
  const { address, visits } = await backend((event) => {
    if (event.kind !== "inputEnd" || visits.length < 3) return;
    for (const one of visits) {
      one.output(1, `${HEAD}fine`);
      one.end(1);
    }
  }, announced);
  expect(texts(await all(await client({ address }), ["/a", "/b", "/c"]))).toEqual(["fine", "fine", "fine"]);
  expect(visits.length).toBe(3);
});

test("without the option nobody is asked", async () => {
  let asked = 0;
  const { address } = await backend((event, visit) => {
    if (event.kind === "reply") asked++;
    if (event.kind !== "inputEnd") return;
    visit.output(event.id, `${HEAD}fine`);
    visit.end(event.id);
  });
  const app = await client({ address, multiplex: false });
  expect((await app.request("/")).text()).toBe("fine");
  expect(asked).toBe(0);
});

describe("our own responder", () => {
  const big = 8_000_000;
  let release: (() => void) | undefined;

  async function own(options: FastcgiOptions = {}): Promise<RunningApp> {
    const folder = await mkdtemp(join(tmpdir(), "gw-mpx-"));
    const server = serveFastcgi(
      async (request) => {
        if (request.path === "/held") {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          return text("held");
        }
        if (request.path === "/echo") return { ...text(""), body: request.body };
        if (request.path !== "/big") return text(`hello ${request.path}`);
        async function* pieces(): AsyncGenerator<Uint8Array> {
          for (let sent = 0; sent < big; sent += 50_000) yield Buffer.alloc(50_000, "x");
        }
        return { ...text(""), body: pieces() };
      },
      { listen: `unix:${folder}/s` },
    );
    await server.ready;
    release = undefined;
    after.push(
      () => rm(folder, { recursive: true, force: true }),
      () => server.close(),
    );
    return client({ address: `unix:${folder}/s`, maxConnections: 64, ...options });
  }

  test("forty requests with bodies, mixed, all right", async () => {
    const app = await own();
    const bodies = Array.from({ length: 40 }, (_, at) => `${at} `.repeat(at * 500 + 1));
    const answers = await Promise.all(bodies.map((body) => app.request("/echo", { method: "POST", body })));
    expect(texts(answers)).toEqual(bodies);
  });

  test("R-F20: a client that does not read stalls nobody on its connection, and its answer waits in a file", async () => {
    const app = await own();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let seen = 0;
    let started = (): void => {};
    const hasStarted = new Promise<void>((resolve) => {
      started = resolve;
    });
    const slow = app.request("/big", {
      async onChunk(chunk) {
        seen += chunk.length;
        started();
        await held;
      },
    });
    await hasStarted;
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 30; at++) expect((await app.request(`/${at}`)).text()).toBe(`hello /${at}`);
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(grown, "what waits is not held in memory").toBeLessThan(5_000_000);
    expect(seen).toBeLessThan(big);
    release();
    expect((await slow).bytes.length).toBe(big);
  });

  test.each([
    ["has ended", big],
    ["is under way", 1],
  ])("R-F20: when a client leaves whose answer waits in a file and %s, the file is closed", async (_, enough) => {
    const spool = countingSpool();
    const app = await own({ spool });
    const held = app.request("/held"); // for another's sake an answer goes to a file
    await until(() => release !== undefined);
    const left = new AbortController();
    let taken = 0;
    const slow = app.request("/big", {
      signal: left.signal,
      onChunk(chunk) {
        taken += chunk.length;
        return new Promise(() => {});
      },
    });
    await until(() => spool.written > 0 && taken + spool.written >= enough);
    if (enough === big) {
      release?.();
      await held; // it comes after the end of the other
    }
    left.abort(new Error("left"));
    await slow;
    await until(() => spool.closed === 1);
    expect(spool.opened).toBe(1);
    release?.();
    expect((await held).text()).toBe("held");
  });
});

/** Temporary files, and how many there are. */
function countingSpool(): SpoolStore & { opened: number; written: number; closed: number } {
  const files = fileSpool();
  const spool = {
    opened: 0,
    written: 0,
    closed: 0,
    async open(): Promise<Spool> {
      const file = await files.open();
      spool.opened++;
      return {
        read: (at, maxBytes) => file.read(at, maxBytes),
        readSync: (at, maxBytes) => file.readSync(at, maxBytes),
        async write(bytes) {
          await file.write(bytes);
          spool.written += bytes.length;
        },
        async close() {
          await file.close();
          spool.closed++;
        },
      };
    },
  };
  return spool;
}
