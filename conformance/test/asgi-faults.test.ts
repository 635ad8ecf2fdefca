// What goes wrong around Python ASGI apps, over real sockets: workers that die, clients that flood or stall, apps that hang.
import { requires } from "@gw-private/requires";
import { describe, expect } from "vitest";
import { closeCode } from "../../packages/http/test/websocket-cases/case.ts";
import { BINARY, maskedFrame } from "../../packages/http/test/websocket-cases/frames.ts";
import { overHttp1, overHttp2, type Wire } from "../../packages/http/test/websocket-cases/wire.ts";
import { type ServedApp, serveApp } from "./asgi-client.ts";

const withPython = requires("python3");
const MIB = 2 ** 20;
const app = "faults_app:app";
const options = { python: "python3", backOffMs: [50, 500] as const, graceMs: 200 };

/** Bytes sent by and received by the app so far, and who has left it. */
async function state(served: ServedApp): Promise<{ sent: number; received: number; left: string[] }> {
  const [sent, received, ...left] = (await (await served.fetch("/state")).text()).split(" ");
  return { sent: Number(sent), received: Number(received), left: left.filter((one) => one !== "") };
}

/** Waits until a number stays the same for three looks. */
async function steady(read: () => Promise<number> | number): Promise<number> {
  let [value, same] = [Number.NaN, 0];
  await expect
    .poll(
      async () => {
        const now = await read();
        same = now === value ? same + 1 : 0;
        value = now;
        return same;
      },
      { interval: 100, timeout: 15_000 },
    )
    .toBeGreaterThanOrEqual(3);
  return value;
}

/** Sends messages for as long as the client's own buffers take them; gives the bytes sent. */
function flood(wire: Wire, message: Buffer, limit: number): { bytes: number; readonly ended: Promise<void> } {
  const flooding = { bytes: 0, ended: Promise.resolve() };
  flooding.ended = (async () => {
    while (flooding.bytes < limit && !wire.isEnded) {
      await wire.write(message);
      flooding.bytes += message.length;
    }
  })();
  return flooding;
}

describe.each([
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
] as const)("WebSockets over %s", (_, open) => {
  withPython(
    "a worker dies with 100 open sockets: each closes with 1011, and the service is back by itself",
    async () => {
      const served = await serveApp(app, options, { h2c: true });
      const wires = await Promise.all(Array.from({ length: 100 }, () => open(served.server, undefined, "/app/echo")));
      expect((await served.fetch("/die")).status).toBe(502);
      await Promise.all(wires.map((wire) => wire.until(({ length }) => length > 0)));
      expect(new Set(wires.map(({ frames }) => closeCode(frames)))).toEqual(new Set([1011]));
      await expect.poll(async () => (await served.fetch("/pid")).status, { timeout: 10_000 }).toBe(200);
      const next = await open(served.server, undefined, "/app/echo");
      await next.write(maskedFrame({ opcode: BINARY, payload: "again" }));
      await next.until((frames) => frames.length > 0);
      expect(next.frames[0]?.payload.toString()).toBe("again");
      for (const wire of [...wires, next]) wire.destroy();
    },
  );

  withPython(
    "R-W7: a client that floods an app that does not receive has to wait, and costs bounded memory",
    async () => {
      const served = await serveApp(app, options, { h2c: true });
      const wire = await open(served.server, undefined, "/app/deaf");
      const before = process.memoryUsage().external;
      const flooding = flood(wire, maskedFrame({ opcode: BINARY, payload: new Uint8Array(100_000) }), 60 * MIB);
      expect(await steady(() => flooding.bytes)).toBeLessThan(25 * MIB); // our windows, and what the system holds
      expect(process.memoryUsage().external - before).toBeLessThan(30 * MIB);
      expect((await served.fetch("/pid")).status).toBe(200); // others are served
      wire.destroy();
      await flooding.ended;
    },
  );

  withPython(
    "R-W7: an app that never stops waits for a client that does not read, and hears that it has left",
    async () => {
      const served = await serveApp(app, options, { h2c: true });
      const wire = await open(served.server, undefined, "/app/chatter");
      wire.pause();
      expect(await steady(async () => (await state(served)).sent)).toBeLessThan(15 * MIB);
      wire.destroy();
      await expect.poll(async () => (await state(served)).left).toEqual(["chatter"]);
    },
  );

  withPython("a client that ends its side without a close frame has left: the app is told", async () => {
    const served = await serveApp(app, options, { h2c: true });
    const wire = await open(served.server, undefined, "/app/echo");
    wire.end();
    await expect.poll(async () => (await state(served)).left).toEqual(["1006"]);
    await wire.until(() => false);
    wire.destroy();
  });

  withPython("sockets are closed with 1012 when the gateway stops, and the app is told", async () => {
    const served = await serveApp(app, options, { h2c: true });
    const wire = await open(served.server, undefined, "/app/echo");
    const closing = served.close();
    await wire.until(({ length }) => length > 0);
    expect(closeCode(wire.frames)).toBe(1012);
    wire.destroy();
    await closing;
  });
});

withPython("apps that never answer: 504 to requests and openings, and the worker lives", async () => {
  const served = await serveApp(app, { ...options, timeoutMs: 300 });
  const pid = await (await served.fetch("/pid")).text();
  expect((await served.fetch("/silent")).status).toBe(504);
  expect((await served.refused("/silent")).status).toBe(504);
  expect(await (await served.fetch("/pid")).text()).toBe(pid);
});

withPython(
  "R-W8: a startup that hangs is a 503 with the reason in the log, and does not hold the gateway",
  async () => {
    const served = await serveApp(app, { ...options, env: { HANG: "startup" }, startTimeoutMs: 400 });
    expect((await served.fetch("/pid")).status).toBe(503);
    expect(served.log.join("\n")).toContain("not ready after 400 ms");
    await served.close();
  },
);

withPython("R-W8: a shutdown that hangs is ended at the deadline", async () => {
  const served = await serveApp(app, { ...options, env: { HANG: "shutdown" }, stopTimeoutMs: 500 });
  const pid = Number(await (await served.fetch("/pid")).text());
  await served.close();
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

/** How many sockets stay open in the test; GW_SOAK=1 opens 5,000. */
const idle = Math.ceil(5_000 * Number(process.env.GW_SOAK ?? 0.04));

withPython(
  `${idle} idle WebSockets: bounded memory each, in the gateway and in Python, and all of it comes back`,
  async () => {
    const served = await serveApp(app, { ...options, maxConcurrent: 10 }, { webSocket: { pingIntervalMs: 0 } });
    const memory = async (): Promise<number> => Number(await (await served.fetch("/memory")).text());
    const [python, before] = [await memory(), process.memoryUsage().rss];
    const wires: Wire[] = [];
    for (let at = 0; at < idle; at++) wires.push(await overHttp1(served.server, undefined, "/app/echo"));
    // Both ends of the sockets are in this process.
    const [inPython, here] = [(await memory()) - python, process.memoryUsage().rss - before];
    console.log(
      `${idle} sockets: ${Math.round(inPython / idle / 1_024)} KiB each in Python, ${Math.round(here / idle / 1_024)} KiB for both ends here`,
    );
    expect(inPython / idle).toBeLessThan(40 * 1_024);
    if (idle >= 1_000) expect(here / idle).toBeLessThan(120 * 1_024);
    for (const wire of wires) wire.destroy();
    await expect.poll(async () => (await state(served)).left.length, { timeout: 20_000 }).toBe(idle);
  },
  120_000,
);
