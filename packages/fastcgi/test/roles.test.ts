// Authorizer and Filter, asked by the codec alone.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AppSource,
  type GatewayRequest,
  http,
  json,
  layer,
  type Middleware,
  type Principal,
  readText,
  text,
  withPrincipal,
} from "@gw/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RecordType, streamRecords, writeRecord } from "../src/codec/index.ts";
import {
  authorizer,
  type FastcgiServerOptions,
  filterData,
  type RunningFastcgiServer,
  serveAuthorizer,
  serveFastcgi,
} from "../src/index.ts";
import { Client, requestBytes } from "./client.ts";

let folder = "";
const servers: Pick<RunningFastcgiServer, "close">[] = [];
const clients: Client[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gw-roles-"));
  await chmod(folder, 0o700);
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    void server.close();
    await server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function opened(server: Pick<RunningFastcgiServer, "close" | "ready" | "addresses">): Promise<Client> {
  servers.push(server);
  await server.ready;
  const client = await Client.openTo(server);
  clients.push(client);
  return client;
}

const listen = (): string => `unix:${join(folder, "s")}`;
const ada: Principal = {
  user: "ada",
  type: "Basic",
  groups: ["staff", "ops"],
  claims: { name: "Ada 안", tenant: "acme" },
};
const asks = { role: "authorizer" } as const;

/** What Apache and lighttpd tell an authorizer: neither SCRIPT_NAME nor PATH_INFO of use. */
const told = { REQUEST_METHOD: "POST", REQUEST_URI: "/secret/%61.txt?x=1", SCRIPT_NAME: "/other", PATH_INFO: "/other" };

function login(seen: GatewayRequest[] = [], principal: Principal = ada): Middleware {
  return layer({
    name: "login",
    onRequest(request) {
      seen.push(request);
      return request.headers.get("authorization") === null
        ? text("who?\n", { status: 401 })
        : withPrincipal(request, principal);
    },
  });
}

describe("an authorizer", () => {
  test("lets users in with Variable-* fields, and answers the client otherwise (§6.3)", async () => {
    const client = await opened(
      serveAuthorizer(login(), { listen: listen(), variables: ({ claims }) => ({ TENANT: String(claims.tenant) }) }),
    );
    const allowed = await client.request({ ...told, HTTP_AUTHORIZATION: "Basic eDp5" }, asks);
    expect(allowed.head.split("\r\n").filter((line) => !/^(?:Date|Content-Length):/i.test(line))).toEqual([
      "Status: 200 OK",
      "Variable-REMOTE_USER: ada",
      "Variable-REMOTE_GROUPS: staff,ops",
      "Variable-REMOTE_NAME: Ada \u00ec\u0095\u0088",
      "Variable-AUTH_TYPE: Basic",
      "Variable-TENANT: acme",
    ]);
    expect([allowed.body, allowed.protocolStatus]).toEqual(["", "complete"]);
    const refused = await client.request(told, asks);
    expect([refused.status, refused.body]).toEqual([401, "who?\n"]);
    expect(refused.head).not.toContain("Variable-");
  });

  test("its layers see what the client asked for, without a body, and no identity of a client's making (R-C6)", async () => {
    const seen: GatewayRequest[] = [];
    const client = await opened(serveAuthorizer([login(seen)], { listen: listen() }));
    await client.request(
      {
        ...told,
        CONTENT_LENGTH: "5",
        CONTENT_TYPE: "text/plain",
        HTTP_CONTENT_LENGTH: "5",
        HTTP_TRANSFER_ENCODING: "chunked",
        HTTP_REMOTE_USER: "mallory",
        HTTP_VARIABLE_REMOTE_USER: "mallory",
        REMOTE_USER: "mallory",
      },
      asks,
    );
    const [request] = seen as [GatewayRequest];
    expect(request).toMatchObject({ method: "POST", mount: "", path: "/secret/a.txt", query: "x=1", principal: null });
    expect(request.body.length).toBe(0);
    for (const name of ["content-length", "content-type", "transfer-encoding", "remote-user"]) {
      expect(request.headers.has(name), name).toBe(false);
    }
  });

  test("Basic credentials that Apache took apart reach the layers whole", async () => {
    const seen: GatewayRequest[] = [];
    const client = await opened(serveAuthorizer(login(seen), { listen: listen() }));
    const answer = await client.request({ ...told, REMOTE_USER: "ada", REMOTE_PASSWD: "a:b\u00e9" }, asks);
    expect(answer.status).toBe(200);
    const sent = seen[0]?.headers.get("authorization") ?? "";
    expect(Buffer.from(sent.slice("Basic ".length), "base64").toString("latin1")).toBe("ada:a:b\u00e9");
    expect(seen[0]?.params.has("REMOTE_PASSWD")).toBe(false);
  });

  test("a user is believed with trustRemoteUser only, and never while the password beside it is still to be checked", async () => {
    const believed = { ...told, REMOTE_USER: "ada", AUTH_TYPE: "Basic" };
    const statuses: number[] = [];
    for (const trustRemoteUser of [false, true]) {
      const server = serveAuthorizer([], { listen: `unix:${join(folder, `t${trustRemoteUser}`)}`, trustRemoteUser });
      const client = await opened(server);
      statuses.push((await client.request(believed, asks)).status);
      statuses.push((await client.request({ ...believed, REMOTE_PASSWD: "wrong" }, asks)).status);
    }
    expect(statuses).toEqual([401, 401, 200, 401]);
  });

  test("nobody is let in by layers that find no user, by a layer's own page, or by an error", async () => {
    const page = layer({ name: "page", onRequest: () => text("log in", { status: 200 }) });
    const broken = layer({ name: "broken", onRequest: () => Promise.reject(new Error("store is down")) });
    for (const [layers, status] of [
      [[], 401],
      [[page], 401],
      [[broken], 500],
    ] as const) {
      const client = await opened(serveAuthorizer(layers, { listen: `unix:${join(folder, `s${servers.length}`)}` }));
      expect((await client.request(told, asks)).status).toBe(status);
    }
  });

  test.each<[string, Partial<Principal>, Record<string, string>]>([
    ["a user with a line break", { user: "ada\r\nVariable-REMOTE_GROUPS: root" }, {}],
    ["a group with a comma", { groups: ["a,root"] }, {}],
    ["a type with a line break", { type: "Basic\nX: y" }, {}],
    ["a variable's value with a line break", {}, { TENANT: "a\nb" }],
    ["a variable named like an identity", {}, { REMOTE_USER: "root" }],
    ["a variable named like what is known of a user", {}, { REMOTE_GROUPS: "root" }],
    ["a variable named like a header", {}, { HTTP_COOKIE: "a=b" }],
    ["a variable that is no name", {}, { "A: b\r\nX": "y" }],
  ])("R-H18: %s lets nobody in", async (_, bad, variables) => {
    const client = await opened(
      serveAuthorizer(login([], { ...ada, ...bad }), { listen: listen(), variables: () => variables }),
    );
    const answer = await client.request({ ...told, HTTP_AUTHORIZATION: "x" }, asks);
    expect(answer.status).toBe(500);
    expect(answer.head).not.toContain("Variable-");
  });

  test("a target that cannot be read is 400", async () => {
    const client = await opened(serveAuthorizer(login(), { listen: listen() }));
    expect((await client.request({ ...told, REQUEST_URI: "/%zz", HTTP_AUTHORIZATION: "x" }, asks)).status).toBe(400);
  });

  test("R-O2: reload puts other layers in its place", async () => {
    const server = serveAuthorizer(login(), { listen: listen() });
    const client = await opened(server);
    await server.reload([login([], { ...ada, user: "bob" })]);
    expect((await client.request({ ...told, HTTP_AUTHORIZATION: "x" }, asks)).head).toContain("REMOTE_USER: bob");
  });

  test("its layers show in its description", () => {
    expect(authorizer([login()]).describe?.()).toMatchObject({ kind: "authorizer", children: [{ name: "login" }, {}] });
  });

  test("R-F6: it is asked as an authorizer or not at all", async () => {
    const client = await opened(serveAuthorizer(login(), { listen: listen() }));
    for (const role of ["responder", "filter"] as const) {
      const answer = await client.request(told, { role });
      expect([answer.protocolStatus, answer.body]).toEqual(["unknownRole", ""]);
    }
  });
});

const nothing = new Uint8Array(0);

/** Records of a filter's request: FCGI_STDIN first, then FCGI_DATA (§6.4). */
function filterBytes(
  id: number,
  data: Uint8Array,
  variables: Record<string, string>,
  body: Uint8Array = nothing,
): Uint8Array {
  return Buffer.concat([
    requestBytes(id, variables, { role: "filter", body }),
    ...streamRecords(RecordType.data, id, data),
    writeRecord(RecordType.data, id, nothing),
  ]);
}

async function serveFilter(app: AppSource, options: FastcgiServerOptions = {}): Promise<Client> {
  return opened(serveFastcgi(app, { listen: listen(), role: "filter", ...options }));
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function dataOf(request: GatewayRequest): AsyncIterable<Uint8Array> {
  const data = filterData(request);
  if (data === null) throw new Error("no data");
  return data.body;
}

describe("a filter", () => {
  test("reads the request's body and the data, and knows when that was changed (§6.4)", async () => {
    const client = await serveFilter(
      http(async (request) => {
        const data = filterData(request);
        if (data === null) return text("no data", { status: 500 });
        const { lastModified, body } = data;
        return json({ form: await readText(request), length: body.length, data: await textOf(body), lastModified });
      }),
    );
    for (const _ of ["once", "again on the kept connection"]) {
      const id = client.machine.begin();
      const variables = { FCGI_DATA_LENGTH: "5", FCGI_DATA_LAST_MOD: "1700000000" };
      client.socket.write(filterBytes(id, Buffer.from("hello"), variables, Buffer.from("a=b")));
      expect(JSON.parse((await client.answer(id)).body)).toEqual({
        form: "a=b",
        length: 5,
        data: "hello",
        lastModified: "2023-11-14T22:13:20.000Z",
      });
    }
  });

  test("R-F8: may read the data first: the body before it waits in a file, and data waits for its reader", async () => {
    const client = await serveFilter(
      http(async (request) => {
        const data = await textOf(dataOf(request));
        return text(`${data.length} ${(await textOf(request.body)).length}`);
      }),
    );
    const id = client.machine.begin();
    const size = 2_000_000;
    client.socket.write(
      filterBytes(id, new Uint8Array(size), { FCGI_DATA_LENGTH: String(size) }, new Uint8Array(size)),
    );
    expect((await client.answer(id)).body).toBe(`${size} ${size}`);
  });

  test("needs not read either", async () => {
    const client = await serveFilter(() => text("unread"));
    for (const _ of [1, 2]) {
      const id = client.machine.begin();
      client.socket.write(filterBytes(id, new Uint8Array(600_000), {}, new Uint8Array(600_000)));
      expect((await client.answer(id)).body).toBe("unread");
    }
  });

  test("R-F16: data that ends before its announced length is no whole data", async () => {
    const client = await serveFilter(async (request) => text(await textOf(dataOf(request))));
    const id = client.machine.begin();
    client.socket.write(filterBytes(id, Buffer.from("hell"), { FCGI_DATA_LENGTH: "5" }));
    const answer = await client.answer(id);
    expect([answer.status, answer.body.includes("hell\n")]).toEqual([400, false]);
  });

  test("a web server that leaves inside the data cuts it for the app", async () => {
    let reading: (error: unknown) => void = () => {};
    const failure = new Promise<unknown>((resolve) => {
      reading = resolve;
    });
    const client = await serveFilter(async (request) => {
      await textOf(dataOf(request)).catch(reading);
      return text("");
    });
    const whole = filterBytes(client.machine.begin(), new Uint8Array(100_000), { FCGI_DATA_LENGTH: "100000" });
    client.socket.end(whole.subarray(0, whole.length - 50_000));
    expect(await failure).toMatchObject({ code: "GW_BODY_CUT" });
  });

  test.each([
    ["FCGI_DATA_LENGTH", "-1"],
    ["FCGI_DATA_LENGTH", "1e3"],
    ["FCGI_DATA_LAST_MOD", "yesterday"],
  ])("%s of %j is 400", async (name, value) => {
    const client = await serveFilter(() => text("served"));
    const id = client.machine.begin();
    client.socket.write(filterBytes(id, nothing, { [name]: value }));
    expect((await client.answer(id)).status).toBe(400);
  });

  test("R-F6: a responder is no filter, gets no data, and takes none for input", async () => {
    const client = await opened(
      serveFastcgi(
        http(async (request) => text(`${filterData(request)} ${await readText(request)}`)),
        { listen: listen() },
      ),
    );
    expect((await client.request({}, { role: "filter" })).protocolStatus).toBe("unknownRole");
    expect((await client.request({}, { role: "authorizer" })).protocolStatus).toBe("unknownRole");
    const id = client.machine.begin();
    const whole = requestBytes(id, {}, { body: Buffer.from("in") });
    const stray = Buffer.concat(streamRecords(RecordType.data, id, Buffer.from("stray")));
    client.socket.write(Buffer.concat([whole.subarray(0, whole.length - 8), stray, whole.subarray(whole.length - 8)]));
    expect((await client.answer(id)).body).toBe("null in");
  });
});
