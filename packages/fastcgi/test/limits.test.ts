// What a responder refuses, and what it tells of itself.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AppSource, http, readText, text } from "@gw/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RecordType, writeBeginRequest, writeGetValues, writeRecord } from "../src/codec/index.ts";
import { type FastcgiServerOptions, type RunningFastcgiServer, serveFastcgi } from "../src/index.ts";
import { Client, requestBytes } from "./client.ts";

let folder = "";
const servers: RunningFastcgiServer[] = [];
const clients: Client[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gw-limits-"));
  await chmod(folder, 0o700);
});

afterEach(async () => {
  vi.unstubAllEnvs();
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

/** An app whose requests wait until they are let go. */
function held(): { app: () => Promise<ReturnType<typeof text>>; begun: Promise<void>; release: () => void } {
  let release = (): void => {};
  let begin = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const app = async (): Promise<ReturnType<typeof text>> => {
    begin();
    await released;
    return text("held");
  };
  return { app, begun, release };
}

describe("R-F9: FCGI_WEB_SERVER_ADDRS (§3.2)", () => {
  test.each<[string, boolean]>([
    ["127.0.0.1", true],
    ["10.1.2.3, 127.0.0.1", true],
    ["10.1.2.3", false],
  ])("%j", async (addresses, isAllowed) => {
    vi.stubEnv("FCGI_WEB_SERVER_ADDRS", addresses);
    const client = await open(await start(echo, { listen: "127.0.0.1:0" }));
    if (isAllowed) expect((await client.request({ PATH_INFO: "/x" })).body).toBe("/x ");
    else await client.closed();
  });

  test("does not widen the list of peers, and is no matter of unix sockets", async () => {
    vi.stubEnv("FCGI_WEB_SERVER_ADDRS", "127.0.0.1");
    const narrow = await open(await start(echo, { listen: "127.0.0.1:0", allowedPeers: ["10.0.0.0/8"] }));
    await narrow.closed();
    vi.stubEnv("FCGI_WEB_SERVER_ADDRS", "10.1.2.3");
    expect((await (await open(await start(echo))).request({})).status).toBe(200);
  });
});

describe("R-F3: management records", () => {
  test("are answered in the middle of a request, with what holds for this server, known names only", async () => {
    const client = await open(await start(echo, { maxConnections: 3, maxRequestsPerConnection: 1 }));
    const id = client.machine.begin();
    const whole = requestBytes(id, { PATH_INFO: "/x" }, { body: Buffer.from("abc") });
    // The end of FCGI_STDIN is the last record: eight bytes.
    client.socket.write(whole.subarray(0, -8));
    client.socket.write(writeGetValues(["FCGI_MPXS_CONNS", "FCGI_MAX_REQS", "FCGI_MAX_CONNS", "SECRET"]));
    client.socket.write(writeRecord(99, 0, Uint8Array.of(1, 2, 3)));
    await client.until(() => client.events.length === 2);
    expect(client.events).toEqual([
      {
        kind: "values",
        values: new Map([
          ["FCGI_MPXS_CONNS", "0"],
          ["FCGI_MAX_REQS", "3"],
          ["FCGI_MAX_CONNS", "3"],
        ]),
      },
      { kind: "unknownType", type: 99 },
    ]);
    client.socket.write(whole.subarray(-8));
    expect((await client.answer(id)).body).toBe("/x abc");
  });
});

describe("R-F4: more than is allowed", () => {
  test("a second request at once is FCGI_CANT_MPX_CONN where one is allowed, and the first is answered", async () => {
    const { app, begun, release } = held();
    const client = await open(await start(app, { maxRequestsPerConnection: 1 }));
    const first = client.machine.begin();
    client.socket.write(requestBytes(first, {}));
    await begun;
    expect((await client.request({})).protocolStatus).toBe("cannotMultiplex");
    release();
    expect((await client.answer(first)).body).toBe("held");
    expect((await client.request({})).status).toBe(200);
  });

  test("beyond the number allowed it is FCGI_OVERLOADED", async () => {
    const { app, begun, release } = held();
    const client = await open(await start(app, { maxRequestsPerConnection: 2 }));
    const ids = [client.machine.begin(), client.machine.begin()];
    for (const id of ids) client.socket.write(requestBytes(id, {}));
    await begun;
    expect((await client.request({})).protocolStatus).toBe("overloaded");
    release();
    for (const id of ids) await client.until(() => client.output(id).includes("held"));
  });

  test("connections beyond maxConnections are closed while none is idle", async () => {
    const { app, begun, release } = held();
    const server = await start(app, { maxConnections: 1 });
    const first = await open(server);
    const id = first.machine.begin();
    first.socket.write(requestBytes(id, {}));
    await begun;
    await (await open(server)).closed();
    release();
    expect((await first.answer(id)).body).toBe("held");
    expect((await first.request({})).status).toBe(200);
  });

  test("beyond maxConnections the longest idle one makes room; busy ones and others stay", async () => {
    const { app, begun, release } = held();
    const server = await start((request) => (request.path === "/held" ? app() : text("free")), { maxConnections: 3 });
    const [busy, later, longest] = [await open(server), await open(server), await open(server)];
    const id = busy.machine.begin();
    busy.socket.write(requestBytes(id, { PATH_INFO: "/held" }));
    await begun;
    await longest.request({});
    await later.request({});
    const next = await open(server);
    expect((await next.request({})).body).toBe("free");
    await longest.closed();
    expect((await later.request({})).body).toBe("free");
    release();
    expect((await busy.answer(id)).body).toBe("held");
  });
});

describe("R-F8: variables that do not come to an end within headerTimeoutMs", () => {
  const begin = writeBeginRequest(7, "responder", true);

  test("end their connection, however they drip; an idle one stays", async () => {
    const server = await start(echo, { headerTimeoutMs: 30 });
    const [idle, stuck] = [await open(server), await open(server)];
    await idle.request({});
    stuck.socket.write(begin);
    const drip = setInterval(() => stuck.socket.write(writeRecord(RecordType.params, 7, Uint8Array.of(1))), 5);
    await stuck.closed().finally(() => clearInterval(drip));
    expect((await idle.request({ PATH_INFO: "/x" })).body).toBe("/x ");
  }, 5_000);

  test("are ended alone while another request of the connection runs, and that is answered", async () => {
    const { app, begun, release } = held();
    const client = await open(await start(app, { headerTimeoutMs: 30 }));
    const id = client.machine.begin();
    client.socket.write(requestBytes(id, {}));
    await begun;
    const late = client.machine.begin();
    client.socket.write(writeBeginRequest(late, "responder", true));
    expect((await client.answer(late)).appStatus).toBe(1);
    release();
    expect((await client.answer(id)).body).toBe("held");
    await client.closed();
  }, 5_000);

  test("do not end who has finished its request in time", async () => {
    const { app, begun, release } = held();
    const server = await start(app, { headerTimeoutMs: 500 });
    const [client, stuck] = [await open(server), await open(server)];
    const id = client.machine.begin();
    const whole = requestBytes(id, {});
    client.socket.write(whole.subarray(0, 16));
    client.socket.write(writeGetValues(["FCGI_MAX_CONNS"]));
    await client.until(() => client.events.length === 1); // so the begin has been read by itself
    client.socket.write(whole.subarray(16));
    await begun;
    stuck.socket.write(begin);
    await stuck.closed(); // so the time of the first has passed, too
    release();
    expect((await client.answer(id)).body).toBe("held");
  }, 5_000);
});

describe("R-F7: a violation ends its connection alone", () => {
  const begin = writeBeginRequest(1, "responder", true);
  test.each<[string, Uint8Array]>([
    ["a request that begins twice", Buffer.concat([begin, begin])],
    [
      "input before the end of the variables",
      Buffer.concat([begin, writeRecord(RecordType.stdin, 1, Uint8Array.of(1))]),
    ],
    ["a begin of the id 0", writeBeginRequest(0, "responder", true)],
    ["a begin that is too short", writeRecord(RecordType.beginRequest, 1, Uint8Array.of(0, 1))],
    ["another version", Uint8Array.of(2, 1, 0, 1, 0, 0, 0, 0)],
  ])("%s", async (_, bytes) => {
    const { app, begun, release } = held();
    const server = await start(app);
    const other = await open(server);
    const id = other.machine.begin();
    other.socket.write(requestBytes(id, {}));
    await begun;
    const bad = await open(server);
    bad.socket.write(bytes);
    await bad.closed();
    release();
    expect((await other.answer(id)).body).toBe("held");
  });

  test("a pair that announces 2 GB takes no memory and is 400", async () => {
    const client = await open(await start(echo));
    const id = client.machine.begin();
    const pair = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 65, 66);
    client.socket.write(
      Buffer.concat([
        writeBeginRequest(id, "responder", true),
        writeRecord(RecordType.params, id, pair),
        writeRecord(RecordType.params, id, new Uint8Array(0)),
      ]),
    );
    expect([400, 431]).toContain((await client.answer(id)).status);
    expect((await client.request({ PATH_INFO: "/next" })).body).toBe("/next ");
  });

  test("variables beyond 256 kB are 431 by default", async () => {
    const client = await open(await start(echo));
    const many = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`X_${at}`, "v".repeat(60_000)]));
    const id = client.machine.begin();
    for (const [name, value] of Object.entries(many)) {
      if (name === "X_0") client.socket.write(writeBeginRequest(id, "responder", true));
      const bytes = requestBytes(id, { [name]: value });
      // Begin (16 bytes), one record of variables, its end and that of the input (8 bytes each).
      client.socket.write(bytes.subarray(16, -16));
    }
    client.socket.write(writeRecord(RecordType.params, id, new Uint8Array(0)));
    expect((await client.answer(id)).status).toBe(431);
  });
});
