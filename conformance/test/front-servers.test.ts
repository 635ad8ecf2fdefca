// The cases through real web servers in front of our responder.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type GatewayRequest, http, readBytes, text } from "@gw/core";
import { type Ability, collect } from "@gw/testing";
import { requires } from "@gw-private/requires";
import { describe, expect } from "vitest";
import type { Case } from "../case.ts";
import { frontServers, modFcgidStarting, nginxAsAnotherUser, openBehind } from "../front-servers.ts";

const folder = join(import.meta.dirname, "../cases");
const cases: Case[] = [];
for (const file of readdirSync(folder).sort()) {
  cases.push(...Object.values((await import(join(folder, file))) as Record<string, Case>));
}

/** What a web server carries to and from a responder. */
const abilities: ReadonlySet<Ability> = new Set(["same-process", "stream-up", "stream-down", "abort", "cut-visible"]);

/** What a server does by itself, before or after our responder: the case is not ours to pass. docs/fastcgi.md has them, too. */
const exceptions: Readonly<Record<string, readonly (readonly [title: RegExp, why: string])[]>> = {
  "Apache mod_proxy_fcgi": [
    [/repeated Cookie lines/, "joins Cookie lines with a comma"],
    [/NUL in the path/, "answers 404 by itself"],
  ],
  "Apache mod_fcgid": [
    [/repeated Cookie lines/, "joins Cookie lines with a comma"],
    [/NUL in the path/, "answers 404 by itself"],
    [/reads the first chunk of an upload/, "reads bodies to their end first"],
    [/a throw after the head|fewer bytes than it announced/, "ends a broken answer as if it were whole"],
  ],
  lighttpd: [
    [/name could shadow another/, "joins X_Name and X-Name into one variable"],
    [/climbs above the root/, "resolves /.. to / by itself"],
    [/reads the first chunk of an upload/, "reads bodies without a length to their end first"],
  ],
  Caddy: [
    [/repeated Cookie lines/, "joins Cookie lines with a comma"],
    [/name could shadow another/, "writes X_Name and X-Name into one variable"],
    [/a throw after the head/, "ends a broken answer as if it were whole"],
  ],
};

/** Says who the app takes its client for. */
const whoAmI = (request: GatewayRequest) =>
  text(`${request.principal?.user ?? "nobody"} ${request.params.get("REMOTE_USER") || "unnamed"}`);

requires("nginx")("nginx whose workers are www-data reaches a socket in a folder of their group", async () => {
  const opened = await openBehind(nginxAsAnotherUser, (request) => text(request.path));
  try {
    const answer = await collect(await opened.send({ target: "/x" }));
    expect([answer.status, answer.text()]).toEqual([200, "/x"]);
  } finally {
    await opened.close();
  }
});

for (const server of frontServers) {
  describe(server.name, () => {
    requires(...server.needs)("a name in a client's Basic field is nobody's, also with trustRemoteUser", async () => {
      const opened = await openBehind(server, whoAmI, { trustRemoteUser: true });
      try {
        const authorization = `Basic ${Buffer.from("root:guessed").toString("base64")}`;
        const answer = await collect(await opened.send({ target: "/", headers: [["Authorization", authorization]] }));
        expect([answer.status, answer.text()]).toEqual([200, "nobody unnamed"]);
      } finally {
        await opened.close();
      }
    });
    requires(...server.needs)(
      "R-F21: an upload that its app reads late arrives whole, though we ask who is there",
      async () => {
        const app = http(async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 250));
          return text(String((await readBytes(request, { maxBytes: 10_000_000 })).length));
        });
        // Looked at every 20 ms, and full after 0.4 MB.
        const opened = await openBehind(server, app, { writeTimeoutMs: 80, maxSpoolBytes: 100_000 });
        try {
          const answer = await collect(await opened.send({ method: "POST", body: new Uint8Array(9_000_000) }));
          expect([answer.status, answer.text()]).toEqual([200, "9000000"]);
        } finally {
          await opened.close();
        }
      },
    );
    for (const one of cases) {
      if (!one.needs.every((ability) => abilities.has(ability))) continue;
      if (exceptions[server.name]?.some(([title]) => title.test(one.title))) continue;
      requires(...server.needs)(one.title, async () => {
        const opened = await openBehind(server, one);
        try {
          await one.check({
            carrier: server.name,
            open: (target, request) => opened.send({ ...request, target }),
            fetch: async (target, request) => collect(await opened.send({ ...request, target })),
          });
        } finally {
          await opened.close();
        }
      });
    }
  });
}

/** Says which process it is and what it was sent; ends itself when asked to. */
const program = `export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/end") process.exit(3);
  return new Response(process.pid + " " + pathname + " " + (await request.arrayBuffer()).byteLength);
} };
`;
const starting = modFcgidStarting(program);

requires(...starting.needs)(
  "Apache mod_fcgid starts gw itself, keeps it, and starts it again when it has ended",
  async () => {
    const opened = await openBehind(starting, () => text("never asked"));
    const ask = async (target: string, body = new Uint8Array(0)) => {
      const answer = await collect(await opened.send({ method: "POST", target, body }));
      const [pid, ...rest] = answer.text().split(" ");
      return { status: answer.status, pid: Number(pid), rest };
    };
    try {
      const first = await ask("/a", new Uint8Array(300_000));
      expect(first).toMatchObject({ status: 200, rest: ["/a", "300000"] });
      expect(await ask("/b")).toEqual({ status: 200, pid: first.pid, rest: ["/b", "0"] });
      expect((await ask("/end")).status).toBeGreaterThanOrEqual(500);
      const next = await ask("/c");
      expect(next).toMatchObject({ status: 200, rest: ["/c", "0"] });
      expect(next.pid).not.toBe(first.pid);
    } finally {
      await opened.close();
    }
  },
);
