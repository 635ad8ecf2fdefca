// Several gateways with Redis behind HAProxy and nginx, with the configurations that docs/scaling.md shows; recipes that are not run.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "@gw-private/free-port";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { type Folder, folderWith, type Server, serving } from "./gw.ts";
import { http1 } from "./soak/clients.ts";
import { load } from "./soak/load.ts";

const documents = join(import.meta.dirname, "../../../docs/scaling");

const site = `import { compose, gateway, text } from "@gw/core";
import { rateLimit } from "@gw/middleware/rate-limit";
import { redisCounters } from "@gw/middleware/redis-counters";
import { session, sessionOf } from "@gw/middleware/session";
import { redisStore } from "@gw/middleware/session/redis";
import { Redis } from "ioredis";

const client = new Redis(process.env.REDIS, { lazyConnect: true });
const limit = rateLimit({ limit: 6, name: "site", counters: redisCounters({ client }) });
export default gateway()
  .use(session({ store: redisStore({ client }) }))
  .mount("/limited", compose([limit], (request) => text("in\\n")))
  .run((request) => {
    const mine = sessionOf(request);
    if (request.path === "/login") mine.logIn({ user: "alice", type: "form", groups: [], claims: {} });
    if (request.path === "/name") return text(process.env.NAME + "\\n");
    if (request.path === "/seen") return text(JSON.stringify([request.client.host, request.scheme, request.headers.get("host")]));
    return text((mine.principal?.user ?? "nobody") + "\\n");
  });
`;

/** A program that stays until the test is over. */
function running(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  child.stderr?.resume();
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return child;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await new Promise((done) => setTimeout(done, 25));
}

interface Site {
  readonly folder: Folder;
  readonly one: Server;
  readonly two: Server;
  /** Where the load balancer listens. */
  readonly url: string;
  /** Starts a gateway that has ended. */
  readonly startAgain: (name: "one" | "two") => Promise<Server>;
}

/** Two gateways with two workers each, a Redis, and what stands in front of them. */
async function siteBehind(front: "haproxy" | "nginx"): Promise<Site> {
  const folder = folderWith({ "site.mjs": site });
  const redis = join(folder.path, "redis.sock");
  running("redis-server", ["--port", "0", "--unixsocket", redis, "--save", "", "--dir", folder.path]);
  const ports = { front: await freePort(), one: await freePort(), two: await freePort() };
  const admin = { one: await freePort(), two: await freePort() };
  const gatewayOf = (name: "one" | "two"): Promise<Server> =>
    serving(
      folder,
      ["serve", "site.mjs", "-b", `127.0.0.1:${ports[name]}`, "--admin", `127.0.0.1:${admin[name]}`].concat([
        "-w",
        "2",
        "--drain-delay",
        "3s", // HAProxy sees it after 1.2 seconds
        "--proxy-headers",
        "--no-access-log",
      ]),
      { environment: { REDIS: redis, NAME: name } },
    );
  const [one, two] = await Promise.all([gatewayOf("one"), gatewayOf("two")]);
  const configuration = readFileSync(join(documents, front === "nginx" ? "nginx.conf" : "haproxy.cfg"), "utf8")
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${ports.front}`)
    .replaceAll("127.0.0.1:8001", `127.0.0.1:${ports.one}`)
    .replaceAll("127.0.0.1:8002", `127.0.0.1:${ports.two}`)
    .replaceAll("port 9001", `port ${admin.one}`)
    .replaceAll("port 9002", `port ${admin.two}`);
  if (front === "haproxy") {
    folder.write("haproxy.cfg", configuration);
    running("haproxy", ["-db", "-q", "-f", join(folder.path, "haproxy.cfg")]);
  } else {
    const temporary = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"].map(
      (name) => `${name}_temp_path ${folder.path}/${name};`,
    );
    const user = userInfo().uid === 0 ? "user root;" : "";
    folder.write(
      "nginx.conf",
      `daemon off; pid ${folder.path}/pid; error_log stderr error; ${user} events {}\nhttp { access_log off; ${temporary.join(" ")}\n${configuration} }`,
    );
    running("nginx", ["-p", folder.path, "-c", join(folder.path, "nginx.conf"), "-e", "stderr"]);
  }
  const url = `http://127.0.0.1:${ports.front}`;
  await until(async () => (await fetch(`${url}/`)).status === 200);
  return { folder, one, two, url, startAgain: gatewayOf };
}

const text = async (url: string, headers: Record<string, string> = {}): Promise<string> => {
  const answer = await fetch(url, { headers });
  return `${answer.status} ${await answer.text()}`;
};

/** Logs in through one address; the cookie. */
async function logIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/login`);
  return (answer.headers.getSetCookie()[0] ?? "").split(";")[0] as string;
}

for (const front of ["haproxy", "nginx"] as const) {
  requires(front, "redis-server")(
    `R-O5: two gateways behind ${front}: logged in on one is logged in on the other, and one that is killed costs no reader a request`,
    async () => {
      const { one, two, url } = await siteBehind(front);
      const cookie = await logIn(one.urls[0] as string);
      expect(await text(`${two.urls[0]}/`, { cookie })).toBe("200 alice\n");
      expect(await text(`${url}/`, { cookie })).toBe("200 alice\n");
      expect(await text(`${url}/`)).toBe("200 nobody\n");
      const seen = await text(`${url}/seen`, { "X-Forwarded-For": "6.6.6.6" });
      expect(seen).toBe(`200 ["127.0.0.1","http","${new URL(url).host}"]`);

      // Rate limits count for both: six in all, whoever is asked.
      const limited = [];
      for (let at = 0; at < 8; at++) limited.push((await text(`${[one, two][at % 2]?.urls[0]}/limited`)).slice(0, 3));
      expect(limited).toEqual(["200", "200", "200", "200", "200", "200", "429", "429"]);

      const reader = { path: "/", answer: "nobody\n" };
      const names = new Set<string>();
      const work = load([
        http1(url, [reader]),
        http1(url, [reader]),
        http1(url, [reader], { isKept: false }),
        http1(url, [reader], { isKept: false }),
      ]);
      await work.until(200);
      while (names.size < 2) names.add(await text(`${url}/name`));
      one.kill("SIGKILL");
      await one.ended;
      await work.until(work.tally.requests + 400);
      expect(await text(`${url}/`, { cookie })).toBe("200 alice\n");
      await work.end();
      expect([...work.tally.wrong]).toEqual([]);
      expect(await text(`${url}/name`)).toBe("200 two\n");
    },
    60_000,
  );
}

requires("haproxy", "redis-server")(
  "R-O1: HAProxy sends nothing to a gateway that drains, and finds it again when it is back",
  async () => {
    const { two, url, startAgain } = await siteBehind("haproxy");
    const work = load([
      http1(url, [{ path: "/", answer: "nobody\n" }]),
      http1(url, [{ path: "/", body: "x", answer: "nobody\n" }], { isKept: false }),
    ]);
    await work.until(100);
    two.kill("SIGTERM");
    expect(await two.ended).toBe(0);
    await work.until(work.tally.requests + 100);
    await startAgain("two");
    await until(async () => (await text(`${url}/name`)) === "200 two\n");
    await work.end();
    expect([...work.tally.wrong]).toEqual([]);
  },
  60_000,
);
