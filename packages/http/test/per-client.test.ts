// R-O10: what one client may have under way at once, whoever else is there.
import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { type GatewayRequest, text } from "@gw/core";
import { afterEach, describe, expect, test } from "vitest";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { first } from "./certificates.ts";
import { type RawConnection, raw, statuses } from "./raw.ts";

const servers: RunningServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A server whose app answers `/held` when it is let go. */
async function listen(options: ServeOptions = {}): Promise<{ server: RunningServer; letGo(): void; held(): number }> {
  const waiting: (() => void)[] = [];
  const app = async (request: GatewayRequest) => {
    if (request.path === "/held") await new Promise<void>((done) => waiting.push(done));
    return text("ok");
  };
  const server = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, ...options });
  servers.push(server);
  await server.ready;
  const letGo = (): void => {
    for (const done of waiting.splice(0)) done();
  };
  return { server, letGo, held: () => waiting.length };
}

const get = (path: string, fields = ""): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;
const from = (client: string): string => `X-Forwarded-For: ${client}\r\n`;
const LIMITS = { maxConcurrentRequestsPerClient: 2 } as const;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setImmediate(done));
}

/** Whether a connection was taken: it answers. */
async function answers(connection: RawConnection): Promise<boolean> {
  connection.write(get("/"));
  return connection.until(/ok$/).then(
    () => true,
    () => false,
  );
}

describe("requests at once", () => {
  test("R-O10: beyond the limit a client is answered 429 with Retry-After; others are not, and it is as soon as one ends", async () => {
    const { server, letGo, held } = await listen({ limits: LIMITS, trustedProxies: ["127.0.0.1"] });
    const busy = [await raw(server), await raw(server)];
    for (const one of busy) one.write(get("/held", from("192.0.2.1")));
    await until(() => held() === 2);
    const third = await raw(server);
    third.write(get("/", `${from("192.0.2.1")}Connection: close\r\n`));
    const refused = await third.end();
    expect(statuses(refused)).toEqual([429]);
    expect(refused).toMatch(/\r\nRetry-After: 1\r\n/i);
    const other = await raw(server);
    other.write(get("/", from("192.0.2.2")));
    await other.until(/200 OK[\s\S]*ok$/);
    letGo();
    for (const one of busy) await one.until(/ok$/);
    busy[0]?.write(get("/", from("192.0.2.1")));
    await busy[0]?.until(/ok[\s\S]*200 OK[\s\S]*ok$/);
  });

  test("R-O10: addresses of one IPv6 /64 are one client, however they are spelled", async () => {
    const { server, letGo, held } = await listen({ limits: LIMITS, trustedProxies: ["127.0.0.1"] });
    const busy = [await raw(server), await raw(server)];
    busy[0]?.write(get("/held", from("2001:db8::1")));
    busy[1]?.write(get("/held", from("2001:0DB8:0:0:ffff::2")));
    await until(() => held() === 2);
    const answerTo = async (client: string): Promise<readonly number[]> => {
      const connection = await raw(server);
      connection.write(get("/", `${from(client)}Connection: close\r\n`));
      return statuses(await connection.end());
    };
    expect(await answerTo("2001:db8::3")).toEqual([429]);
    expect(await answerTo("2001:db8:0:1::3")).toEqual([200]);
    letGo();
  });

  test("a client that leaves gives its place back", async () => {
    const { server, held, letGo } = await listen({ limits: { maxConcurrentRequestsPerClient: 1 } });
    for (let time = 1; time <= 3; time++) {
      const gone = await raw(server);
      gone.write(get("/held"));
      await until(() => held() === 1);
      gone.socket.destroy();
      letGo();
      let text = "";
      while (!text.includes("200 OK")) {
        const connection = await raw(server);
        connection.write(get("/", "Connection: close\r\n"));
        text = await connection.end(); // the server may not know yet that the client is gone
      }
    }
  });
});

describe("connections at once", () => {
  const limits = { maxConnectionsPerClient: 2 };

  test("R-O10: one more is closed at once, and taken again when one of them has closed", async () => {
    const { server } = await listen({ limits });
    const open = [await raw(server), await raw(server)];
    for (const one of open) expect(await answers(one)).toBe(true);
    expect(await answers(await raw(server))).toBe(false);
    open[0]?.socket.destroy();
    for (;;) if (await answers(await raw(server))) break;
  });

  test("listed proxies speak for many clients, and are not counted", async () => {
    const { server } = await listen({ limits, trustedProxies: ["127.0.0.0/8"] });
    for (let count = 0; count < 4; count++) expect(await answers(await raw(server))).toBe(true);
  });

  test("behind the PROXY protocol the client is counted, not the proxy", async () => {
    const { server } = await listen({ limits, proxyProtocol: ["127.0.0.1"] });
    const opened = async (client: string): Promise<boolean> => {
      const connection = await raw(server);
      connection.write(`PROXY TCP4 ${client} 192.0.2.9 1000 80\r\n`);
      return answers(connection);
    };
    const found: boolean[] = [];
    for (const client of ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"]) found.push(await opened(client));
    expect(found).toEqual([true, true, false, true]);
  });

  test("over TLS it is closed before the handshake costs anything", async () => {
    const { server } = await listen({ limits, tls: { cert: first.cert, key: first.key } });
    const { port } = server.addresses[0] as { port: number };
    const sockets = [0, 1].map(() => connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }));
    for (const socket of sockets) await once(socket, "secureConnect");
    const third = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const [error] = await once(third, "error");
    expect((error as NodeJS.ErrnoException).code).toBe("ECONNRESET");
    for (const socket of sockets) socket.destroy();
  });
});
