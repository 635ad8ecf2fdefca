// One Python app as WSGI and as ASGI, through every carrier.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Carrier, collect, everyCarrier, type OpenApp } from "@gw/testing";
import { requires } from "@gw-private/requires";
import { describe, expect } from "vitest";
import { asgi, wsgi, wsgiInline } from "../python/apps.ts";

const apps = { wsgi, wsgiInline, asgi };
const command = join(import.meta.dirname, "../../packages/cli/bin/gw.js");
const carriers = everyCarrier({ cgiCommand: [process.execPath, command, "cgi"] });
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
const large = Buffer.alloc(1_000_000, "0123456789abcdef\n");

async function through(
  carrier: Carrier,
  name: keyof typeof apps,
  check: (opened: OpenApp) => Promise<void>,
): Promise<void> {
  const module = `${join(import.meta.dirname, "../python/apps.ts")}:${name}`;
  const opened = await carrier.open({ app: apps[name], module });
  try {
    await check(opened);
  } finally {
    await opened.close();
  }
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < large.length; at += 30_000) yield large.subarray(at, at + 30_000);
}

const digest = `${large.length} ${createHash("sha256").update(large).digest("hex")}`;

describe.each(carriers.map((carrier) => ({ carrier, name: carrier.name })))("$name", ({ carrier }) => {
  for (const name of ["wsgi", "wsgiInline", "asgi"] as const) {
    requires("python3")(`${name} in Python: request, repeated fields, bodies up and down`, async () => {
      await through(carrier, name, async (opened) => {
        const asked = await collect(await opened.send({ target: "/caf%C3%A9/x?a=%20&b" }));
        expect(Buffer.from(asked.bytes).toString("latin1")).toBe("GET\n\n/caf\u00c3\u00a9/x\na=%20&b");
        expect(asked.headers.getAll("x-mark").join(", ")).toBe("a, b");
        const echoed = await collect(await opened.send({ method: "POST", target: "/echo", body: everyByte }));
        expect([...echoed.bytes]).toEqual([...everyByte]);
        const summed = await collect(await opened.send({ method: "PUT", target: "/digest", body: large }));
        expect(summed.text()).toBe(digest);
        if (!carrier.abilities.has("stream-up")) return;
        const streamed = await collect(await opened.send({ method: "POST", target: "/digest", body: pieces() }));
        expect(streamed.text()).toBe(digest);
      });
    });
  }
});
