import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AppSource, HeaderList, type HttpRequest, http, json, readText, type SpoolStore, text } from "@gw/core";
import { fileSpool } from "@gw/core/node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RecordType, writeAbortRequest, writeGetValues, writeRecord } from "../src/codec/index.ts";
import { type FastcgiServerOptions, type RunningFastcgiServer, serveFastcgi } from "../src/index.ts";
import { Client, requestBytes } from "./client.ts";

let folder = "";
const servers: RunningFastcgiServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gw-fastcgi-"));
  await chmod(folder, 0o700);
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    void server.close();
    await server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function start(app: AppSource, options: FastcgiServerOptions = {}): Promise<RunningFastcgiServer> {
  const server = serveFastcgi(app, { listen: `unix:${join(folder, "s")}`, ...options });
  servers.push(server);
  await server.ready;
  return server;
}

async function open(app: AppSource, options: FastcgiServerOptions = {}): Promise<Client> {
  return Client.openTo(await start(app, options));
}

async function lengthOf({ body }: HttpRequest): Promise<number> {
  let length = 0;
  for await (const chunk of body) length += chunk.length;
  return length;
}

const echo = http(async (request) => text(`${request.method} ${request.path} ${await readText(request)}`));

describe("a responder", () => {
  test("answers requests one after the other on a kept connection (R-F2)", async () => {
    const client = await open(echo);
    for (const word of ["one", "two", "three"]) {
      const answer = await client.request({ PATH_INFO: "/p" }, { body: Buffer.from(word) });
      expect([answer.status, answer.body]).toEqual([200, `POST /p ${word}`]);
      expect([answer.appStatus, answer.protocolStatus]).toEqual([0, "complete"]);
    }
    expect(client.isClosed).toBe(false);
    client.socket.destroy();
  });

  test("R-F2: closes after the answer unless FCGI_KEEP_CONN was set", async () => {
    const client = await open(echo);
    expect((await client.request({}, { keep: false })).status).toBe(200);
    await client.closed();
  });

  test("R-F2: a half-closed peer still gets its answer", async () => {
    const client = await open(echo);
    const id = client.machine.begin();
    client.socket.end(requestBytes(id, { PATH_INFO: "/half" }));
    expect((await client.answer(id)).body).toBe("GET /half ");
    await client.closed();
  });

  test("a small answer leaves in one write", async () => {
    const client = await open(() => text("hello"));
    let chunks = 0;
    client.socket.on("data", () => chunks++);
    await client.request({});
    expect(chunks).toBe(1);
    client.socket.destroy();
  });

  test("R-F4: a slow request does not hold up another on the same connection", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const client = await open(async (request) => {
      if (request.path === "/slow") await held;
      return text(request.path);
    });
    const [slow, fast] = [client.machine.begin(), client.machine.begin()];
    client.socket.write(requestBytes(slow, { PATH_INFO: "/slow" }));
    client.socket.write(requestBytes(fast, { PATH_INFO: "/fast" }));
    expect((await client.answer(fast)).body).toBe("/fast");
    release();
    expect((await client.answer(slow)).body).toBe("/slow");
    client.socket.destroy();
  });

  test("R-F4: the input of a request that is not read does not hold up another's", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const client = await open(
      http(async (request) => {
        if (request.path === "/unread") await held;
        return text(String(await lengthOf(request)));
      }),
    );
    const [unread, read] = [client.machine.begin(), client.machine.begin()];
    const records = (id: number) =>
      requestBytes(id, { PATH_INFO: id === unread ? "/unread" : "/read" }, { body: new Uint8Array(2_000_000) });
    client.socket.write(records(unread));
    client.socket.write(records(read));
    expect((await client.answer(read)).body).toBe("2000000");
    release();
    expect((await client.answer(unread)).body).toBe("2000000");
    client.socket.destroy();
  });

  test("R-F8: a lone upload waits for its app before anything goes to a file", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let opened = 0;
    const files = fileSpool();
    const spool: SpoolStore = {
      open() {
        opened++;
        return files.open();
      },
    };
    const client = await open(
      http(async (request) => {
        await held;
        return text(String(await lengthOf(request)));
      }),
      { spool, maxSpoolBytes: 1_000_000 },
    );
    const id = client.machine.begin();
    let isTaken = false;
    client.socket.write(requestBytes(id, {}, { body: new Uint8Array(8_000_000) }), () => {
      isTaken = true;
    });
    while (opened === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isTaken, "beyond maxSpoolBytes the web server waits").toBe(false);
    release();
    expect((await client.answer(id)).body).toBe("8000000");
    client.socket.destroy();
  });

  test("R-F21: an app without anything to say learns that the web server has gone", async () => {
    const aborted = new Promise<string>((resolve) => {
      void open(
        (request) =>
          new Promise((_, reject) => {
            request.signal.addEventListener("abort", () => {
              resolve(String(request.signal.reason.code));
              reject(request.signal.reason);
            });
            gone();
          }),
      ).then((client) => {
        client.socket.write(requestBytes(client.machine.begin(), {}));
        gone = () => client.socket.destroy();
      });
    });
    let gone = (): void => {};
    expect(await aborted).toBe("GW_FCGI_GONE");
  }, 3_000);

  test("R-F5: FCGI_ABORT_REQUEST fires the signal and is answered with FCGI_END_REQUEST", async () => {
    const client = await open(
      (request) =>
        new Promise((_, reject) => request.signal.addEventListener("abort", () => reject(request.signal.reason))),
    );
    const id = client.machine.begin();
    client.socket.write(requestBytes(id, {}));
    client.socket.write(writeAbortRequest(id));
    expect((await client.answer(id)).protocolStatus).toBe("complete");
    client.socket.destroy();
  }, 3_000);

  test("R-F5: one that comes before the end of the variables ends the request, and the app never runs", async () => {
    const asked: string[] = [];
    const client = await open(({ path }) => text(asked.push(path) === 0 ? "" : path), { maxRequestsPerConnection: 2 });
    for (let at = 0; at < 5; at++) {
      const id = client.machine.begin();
      const bytes = requestBytes(id, { PATH_INFO: "/aborted" });
      client.socket.write(Buffer.concat([bytes.subarray(0, 16), writeAbortRequest(id), bytes.subarray(16)]));
      const { appStatus, protocolStatus, head } = await client.answer(id);
      expect([appStatus, protocolStatus, head]).toEqual([1, "complete", ""]);
    }
    expect((await client.request({ PATH_INFO: "/honest" })).body).toBe("/honest");
    expect(asked).toEqual(["/honest"]);
    client.socket.destroy();
  }, 5_000);

  test("R-H2: a header value with a line break is 400, and the connection lives on", async () => {
    const client = await open((request) => text(request.headers.get("x-a") ?? "none"));
    expect((await client.request({ HTTP_X_A: "a\r\nInjected: b" })).status).toBe(400);
    expect((await client.request({ HTTP_X_A: "a" })).body).toBe("a");
    client.socket.destroy();
  }, 5_000);

  test("R-F8: more variables than allowed are a 431, and the connection lives on", async () => {
    const client = await open(echo, { maxParams: 20 });
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`X_${at}`, "1"]));
    expect((await client.request(many)).status).toBe(431);
    expect((await client.request({})).status).toBe(200);
    client.socket.destroy();
  });

  test("R-F3: FCGI_GET_VALUES is answered with what is true", async () => {
    const client = await open(echo, { maxConnections: 7, maxRequestsPerConnection: 3 });
    client.socket.write(writeGetValues(["FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"]));
    await client.until(() => client.events.length > 0);
    expect(client.events[0]).toEqual({
      kind: "values",
      values: new Map([
        ["FCGI_MAX_CONNS", "7"],
        ["FCGI_MAX_REQS", "21"],
        ["FCGI_MPXS_CONNS", "1"],
      ]),
    });
    client.socket.destroy();
  });

  test("R-F7: garbage closes its connection, and the next one is served", async () => {
    const server = await start(echo);
    const bad = await Client.openTo(server);
    bad.socket.write("GET / HTTP/1.1\r\n\r\n");
    await bad.closed();
    const good = await Client.openTo(server);
    expect((await good.request({})).status).toBe(200);
    good.socket.destroy();
  });

  test("R-F16: an answer that breaks off closes the connection before FCGI_END_REQUEST, after bytes that are no record", async () => {
    let fail = (): void => {};
    const failed = new Promise<void>((resolve) => {
      fail = resolve;
    });
    const client = await open(() => ({
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (async function* () {
        yield Buffer.from("begun");
        await failed;
        throw new Error("broken");
      })(),
    }));
    const id = client.machine.begin();
    client.socket.write(requestBytes(id, {}));
    await client.until(() => client.output(id).includes("begun"));
    fail();
    await client.closed();
    expect(client.failure).toMatchObject({ code: "GW_FCGI_PROTOCOL" });
    expect(client.events.some(({ kind }) => kind === "end")).toBe(false);
  });

  test("R-F1: one-byte records and one-byte writes are read", async () => {
    const client = await open(echo);
    const id = client.machine.begin();
    const whole = requestBytes(id, { PATH_INFO: "/bytes" }, { body: Buffer.from("abc") });
    for (const byte of whole) client.socket.write(Uint8Array.of(byte));
    expect((await client.answer(id)).body).toBe("POST /bytes abc");
    client.socket.destroy();
  });

  test("what the front server says in variables of its own is in params, REMOTE_USER is not the user unless trusted", async () => {
    const app: AppSource = (request) =>
      json({ user: request.principal?.user ?? null, said: request.params.get("APP_ENV") ?? null });
    const variables = { APP_ENV: "production", REMOTE_USER: "ann", AUTH_TYPE: "Basic" };
    const doubting = await open(app);
    expect(JSON.parse((await doubting.request(variables)).body)).toEqual({ user: null, said: "production" });
    doubting.socket.destroy();
    const trusting = await Client.openTo(
      await start(app, { listen: `unix:${join(folder, "t")}`, trustRemoteUser: true }),
    );
    expect(JSON.parse((await trusting.request(variables)).body)).toEqual({ user: "ann", said: "production" });
    trusting.socket.destroy();
  });

  test("R-F20: a large answer waits for a web server that does not read", async () => {
    let made = 0;
    const client = await open(() => ({
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (async function* () {
        for (let at = 0; at < 500; at++) {
          made += 65_536;
          yield new Uint8Array(65_536);
        }
      })(),
    }));
    client.socket.pause();
    const id = client.machine.begin();
    client.socket.write(requestBytes(id, {}));
    let before = -1;
    for (let same = 0; same < 20; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      same = made === before && made > 0 ? same + 1 : 0;
      before = made;
    }
    expect(made).toBeLessThan(8_000_000);
    client.socket.resume();
    await client.answer(id);
    expect(made).toBe(500 * 65_536);
    client.socket.destroy();
  });
});

describe("listening", () => {
  test("R-F9: a unix socket has the mode 0660", async () => {
    const server = await start(echo);
    expect(((await stat((server.addresses[0] as { path: string }).path)).mode & 0o777).toString(8)).toBe("660");
  });

  test("R-F9: a TCP peer that is not on the list is closed at once", async () => {
    const server = await start(echo, { listen: "127.0.0.1:0", allowedPeers: ["10.0.0.0/8"] });
    const client = await Client.openTo(server);
    await client.closed();
    const allowed = await start(echo, { listen: "127.0.0.1:0" });
    const other = await Client.openTo(allowed);
    expect((await other.request({})).status).toBe(200);
    other.socket.destroy();
  });

  test("close lets the running request finish and ends idle connections", async () => {
    let release = (): void => {};
    let begun = (): void => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await start(async () => {
      begun();
      await held;
      return text("late");
    });
    const [busy, idle] = [await Client.openTo(server), await Client.openTo(server)];
    const id = busy.machine.begin();
    busy.socket.write(requestBytes(id, {}));
    await isBegun;
    const closing = server.close();
    await idle.closed();
    release();
    expect((await busy.answer(id)).body).toBe("late");
    await closing;
  });

  test("R-O1: a request that is on its way over an idle connection at close() is answered", async () => {
    const server = await start(() => text("in time"));
    const client = await Client.openTo(server);
    await client.request({}); // it is accepted, and idle now
    const closing = server.close();
    await new Promise((done) => setImmediate(done));
    expect((await client.request({})).body).toBe("in time");
    await client.closed();
    await closing;
  });

  test("R-O2: reload gives new requests to the next app and lets the old one finish", async () => {
    const server = await start({ handle: () => text("old") });
    const client = await Client.openTo(server);
    expect((await client.request({})).body).toBe("old");
    await server.reload({ handle: () => text("new") });
    expect((await client.request({})).body).toBe("new");
    await expect(
      server.reload({ handle: () => text("x"), start: () => Promise.reject(new Error("no")) }),
    ).rejects.toThrow("no");
    expect((await client.request({})).body).toBe("new");
    client.socket.destroy();
  });
});

test("R-F6: late records of an answered request are ignored", async () => {
  const client = await open(() => text("early"));
  const id = client.machine.begin();
  const whole = requestBytes(id, {}, { body: new Uint8Array(100_000) });
  client.socket.write(whole.subarray(0, 400));
  expect((await client.answer(id)).body).toBe("early");
  client.socket.write(whole.subarray(400));
  client.socket.write(writeRecord(RecordType.stdin, 99, Uint8Array.of(1)));
  expect((await client.request({})).body).toBe("early");
  client.socket.destroy();
});
