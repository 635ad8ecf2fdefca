// Web servers that send too slowly, or do not read what they asked for.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AppSource, HeaderList, http, readText, text } from "@gw/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RecordType, writeGetValues, writeRecord } from "../src/codec/index.ts";
import { type FastcgiServerOptions, filterData, type RunningFastcgiServer, serveFastcgi } from "../src/index.ts";
import { Client, requestBytes } from "./client.ts";

const nothing = new Uint8Array(0);
const oneByte = Uint8Array.of(65);

let folder = "";
const servers: RunningFastcgiServer[] = [];
const clients: Client[] = [];
const timers: NodeJS.Timeout[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gw-slow-"));
});

afterEach(async () => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const { socket } of clients.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    void server.close();
    await server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function start(app: AppSource, options: FastcgiServerOptions = {}): Promise<RunningFastcgiServer> {
  const server = serveFastcgi(app, { listen: `unix:${join(folder, `s${servers.length}`)}`, ...options });
  servers.push(server);
  await server.ready;
  return server;
}

async function open(server: RunningFastcgiServer): Promise<Client> {
  const client = await Client.openTo(server);
  clients.push(client);
  return client;
}

const echo = http(async (request) => text(`${request.path} ${await readText(request)}`));

/** Sends a request without the last bytes of its input, and without the end of it. */
function beginUpload(client: Client, sent: string, length: number, variables: Record<string, string> = {}): number {
  const id = client.machine.begin();
  const whole = requestBytes(id, { REQUEST_METHOD: "POST", CONTENT_LENGTH: String(length), ...variables });
  client.socket.write(whole.subarray(0, -8)); // but the end of FCGI_STDIN
  if (sent !== "") client.socket.write(writeRecord(RecordType.stdin, id, Buffer.from(sent)));
  return id;
}

function endUpload(client: Client, id: number, rest: string): void {
  if (rest !== "") client.socket.write(writeRecord(RecordType.stdin, id, Buffer.from(rest)));
  client.socket.write(writeRecord(RecordType.stdin, id, nothing));
}

/** One byte of input every few milliseconds, until the test is over. */
function drip(client: Client, id: number, type: number = RecordType.stdin): void {
  timers.push(setInterval(() => client.socket.write(writeRecord(type, id, oneByte)), 3));
}

describe("R-F8: input that does not come to its end", () => {
  test("is a 408, and its id and its connection serve on; what still comes of it is nobody's", async () => {
    const client = await open(await start(echo, { bodyTimeoutMs: 30 }));
    const id = beginUpload(client, "abc", 10);
    const answer = await client.answer(id);
    expect([answer.status, answer.protocolStatus]).toEqual([408, "complete"]);
    client.socket.write(writeRecord(RecordType.stdin, id, Buffer.from("late")));
    for (const path of ["/next", "/again"]) {
      expect((await client.request({ PATH_INFO: path }, { body: Buffer.from("new") })).body).toBe(`${path} new`);
    }
  }, 5_000);

  test("is a 408 as well if it drips more slowly than minBodyBytesPerSecond", async () => {
    const client = await open(await start(echo, { bodyTimeoutMs: 30, minBodyBytesPerSecond: 1_000_000 }));
    const id = beginUpload(client, "", 1_000_000);
    drip(client, id);
    expect((await client.answer(id)).status).toBe(408);
  }, 5_000);

  test("has requestTimeoutMs in all, however fast it comes, also while nobody reads it", async () => {
    const app = http(async (request) => {
      await new Promise((resolve) => request.exchange.onEnd(() => resolve(null)));
      return text("");
    });
    const server = await start((request) => (request.path === "/unread" ? app(request) : echo(request)), {
      requestTimeoutMs: 60,
      minBodyBytesPerSecond: 1,
    });
    const client = await open(server);
    const id = beginUpload(client, "", 1_000_000);
    drip(client, id);
    expect((await client.answer(id)).status).toBe(408);
  }, 5_000);

  test("costs nobody else: who sends fast enough, and whose app does not read, is served", async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const app = http(async (request) => {
      if (request.path === "/later") await released;
      return text(`${request.path} ${await readText(request)}`);
    });
    // Each byte earns a second, many seconds for a test.
    const server = await start(app, { bodyTimeoutMs: 30, minBodyBytesPerSecond: 1 });
    const [fast, later, stuck] = [await open(server), await open(server), await open(server)];
    const fastId = beginUpload(fast, "abc", 6);
    const laterId = beginUpload(later, "", 6, { PATH_INFO: "/later" });
    const stuckId = beginUpload(stuck, "", 6);
    expect((await stuck.answer(stuckId)).status).toBe(408);
    endUpload(fast, fastId, "def");
    expect((await fast.answer(fastId)).body).toBe("/ abcdef");
    endUpload(later, laterId, "abcdef");
    release();
    expect((await later.answer(laterId)).body).toBe("/later abcdef");
  }, 5_000);

  test("without the limits it may take as long as it likes", async () => {
    const server = await start(echo, { bodyTimeoutMs: 0, minBodyBytesPerSecond: 0, requestTimeoutMs: 0 });
    const limited = await open(await start(echo, { bodyTimeoutMs: 30 }));
    const client = await open(server);
    const id = beginUpload(client, "a", 2);
    expect((await limited.answer(beginUpload(limited, "", 2))).status).toBe(408); // so that time has passed
    endUpload(client, id, "b");
    expect((await client.answer(id)).body).toBe("/ ab");
  }, 5_000);

  test("holds for a filter's data, too", async () => {
    const app = http(async (request) => {
      for await (const _ of filterData(request)?.body ?? []);
      return text("whole");
    });
    const client = await open(
      await start(app, { role: "filter", bodyTimeoutMs: 30, minBodyBytesPerSecond: 1_000_000 }),
    );
    const id = client.machine.begin();
    client.socket.write(requestBytes(id, { FCGI_DATA_LENGTH: "1000000" }, { role: "filter" }));
    drip(client, id, RecordType.data);
    expect((await client.answer(id)).status).toBe(408);
  }, 5_000);

  test("more of it than was announced is not kept for an app that does not read", async () => {
    let held = 0;
    const spool = {
      open() {
        held++;
        throw new Error("no file is needed");
      },
    };
    const server = await start(
      http(async () => text("unread")),
      { spool },
    );
    const client = await open(server);
    const id = client.machine.begin();
    const whole = requestBytes(id, {});
    const stray = Array.from({ length: 64 }, () => writeRecord(RecordType.stdin, id, new Uint8Array(60_000)));
    client.socket.write(Buffer.concat([whole.subarray(0, -8), ...stray, whole.subarray(-8)]));
    expect((await client.answer(id)).body).toBe("unread");
    expect((await client.request({ PATH_INFO: "/x" })).status).toBe(200);
    expect(held).toBe(0);
  });
});

describe("R-F21: an app without anything to say learns that the web server has gone", () => {
  /** An app that only waits, and whether it was told. */
  async function waiting(listen: string): Promise<{ server: RunningFastcgiServer; told: Promise<unknown> }> {
    let tell = (_: unknown): void => {};
    const told = new Promise<unknown>((resolve) => {
      tell = resolve;
    });
    const app: AppSource = (request) =>
      new Promise((resolve) => {
        request.signal.addEventListener("abort", () => {
          tell(request.signal.reason);
          resolve(text(""));
        });
      });
    return { server: await start(app, { listen, maxSpoolBytes: 100_000 }), told };
  }

  test.each(["127.0.0.1:0", "unix"])(
    "of %s, when it has sent all",
    async (place) => {
      const { server, told } = await waiting(place === "unix" ? `unix:${join(folder, "u")}` : place);
      const client = await open(server);
      client.socket.write(requestBytes(client.machine.begin(), {}));
      client.socket.write(writeGetValues(["FCGI_MAX_CONNS"]));
      await client.until(() => client.events.length === 1); // so it is read
      client.socket.destroy();
      expect(await told).toMatchObject({ code: "GW_FCGI_GONE" });
    },
    10_000,
  );

  test.each(["127.0.0.1:0", "unix"])(
    "of %s, in the middle of an upload that the app does not read",
    async (place) => {
      const { server, told } = await waiting(place === "unix" ? `unix:${join(folder, "u")}` : place);
      const client = await open(server);
      const id = beginUpload(client, "", 4_000_000);
      // More than memory and file may hold: after a moment the connection is not read any more, and then nothing is seen of it.
      const more = writeRecord(RecordType.stdin, id, new Uint8Array(60_000));
      client.socket.write(Buffer.concat(Array(20).fill(more)));
      await new Promise((resolve) => setTimeout(resolve, 400));
      client.socket.destroy();
      expect(await told).toMatchObject({ code: "GW_FCGI_GONE" });
    },
    10_000,
  );
});

describe("R-F8: a web server that does not read", () => {
  test("is closed after writeTimeoutMs, and its app learns that nobody waits (R-F21); others are served", async () => {
    let isOver = (_: string): void => {};
    const over = new Promise<string>((resolve) => {
      isOver = resolve;
    });
    const app: AppSource = (request) => {
      if (request.path !== "/long") return text("other");
      request.exchange.onEnd(({ result }) => isOver(result));
      return {
        kind: "response",
        status: 200,
        headers: HeaderList.empty,
        body: (async function* () {
          for (let at = 0; at < 10_000; at++) yield new Uint8Array(65_536);
        })(),
      };
    };
    const server = await start(app, { writeTimeoutMs: 50 });
    const [deaf, other] = [await open(server), await open(server)];
    deaf.socket.pause();
    deaf.socket.write(requestBytes(deaf.machine.begin(), { PATH_INFO: "/long" }));
    expect(await over).toBe("gone");
    expect((await other.request({})).body).toBe("other");
  }, 5_000);

  test("has no more begun for it than it has read, and gets all when it reads", async () => {
    let calls = 0;
    const size = 300_000;
    const server = await start(() => {
      calls++;
      return { kind: "response", status: 200, headers: HeaderList.empty, body: new Uint8Array(size) };
    });
    const [deaf, other] = [await open(server), await open(server)];
    deaf.socket.pause();
    const ids = Array.from({ length: 90 }, () => deaf.machine.begin());
    deaf.socket.write(Buffer.concat(ids.map((id) => requestBytes(id, {}))));
    for (let at = 0; at < 20; at++) await other.request({});
    // What the system holds for a socket, and a mebibyte.
    expect(calls - 20).toBeLessThan(20);
    deaf.socket.resume();
    await deaf.until(() => deaf.events.filter(({ kind }) => kind === "end").length === ids.length);
    expect(ids.map((id) => deaf.output(id).length - size > 0)).toEqual(ids.map(() => true));
  });

  test("may ask no endless questions: they are read when their answers are", async () => {
    const server = await start(() => text("other"));
    const [deaf, other] = [await open(server), await open(server)];
    deaf.socket.pause();
    const question = writeGetValues(["FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"]);
    const each = 1_000;
    const many = Buffer.concat(Array.from({ length: each }, () => question));
    let written = 0;
    const times = 100;
    for (let at = 0; at < times; at++) deaf.socket.write(many, () => written++);
    for (let at = 0; at < 100; at++) await other.request({});
    expect(written).toBeLessThan(times);
    deaf.socket.resume();
    await deaf.until(() => deaf.events.length === each * times);
    expect(written).toBe(times);
  }, 20_000);

  test("R-O1: what waits for it is answered although the server stops", async () => {
    const server = await start(
      () => ({ kind: "response", status: 200, headers: HeaderList.empty, body: new Uint8Array(500_000) }),
      { idleGraceMs: 1 },
    );
    const client = await open(server);
    client.socket.pause();
    const ids = Array.from({ length: 20 }, () => client.machine.begin());
    client.socket.write(Buffer.concat(ids.map((id) => requestBytes(id, {}))));
    const other = await open(server);
    await other.request({});
    other.socket.destroy();
    const closed = server.close();
    await new Promise((resolve) => setTimeout(resolve, 20)); // longer than the grace, so that a lost one would be seen
    client.socket.resume();
    await client.until(() => client.events.filter(({ kind }) => kind === "end").length === ids.length);
    await closed;
  }, 5_000);
});
