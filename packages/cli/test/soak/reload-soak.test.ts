// R-O1, R-O2: reloads and stops under load lose no request. GW_SOAK=1 is the whole of it (docs/proof/reload.md); by default a twentieth runs.
import { get as httpGet } from "node:http";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { type Folder, type Server, serving } from "../gw.ts";
import { type ClientOptions, fastcgiClient, http1, http2, webSocket } from "./clients.ts";
import { expectAsBefore, settledFigures } from "./figures.ts";
import { type Client, type Load, load, report, type Tally } from "./load.ts";
import { allTasks, ownTasks, phpFpmName, siteFolder, siteWords } from "./site.ts";

const SCALE = Number(process.env.GW_SOAK ?? 0.05);
const REQUESTS = 100_000 * SCALE;
const RELOADS = Math.ceil(20 * SCALE);
const onSite = requires(phpFpmName, "python3");

/** The gateway over HTTP, and one that is a FastCGI responder. */
interface Gateways {
  readonly folder: Folder;
  readonly http: Server;
  readonly fastcgi: Server;
}

async function gateways(words: readonly string[] = [], fastcgiWords: readonly string[] = []): Promise<Gateways> {
  const folder = siteFolder();
  const socket = join(folder.path, "app.sock");
  const [http, fastcgi] = await Promise.all([
    serving(folder, ["serve", ...siteWords, "-p", "0", "--h2c", "-w", "2", ...words]),
    serving(folder, ["fastcgi", "app.mjs", "-b", `unix:${socket}`, "-w", "2", ...fastcgiWords]),
  ]);
  return { folder, http, fastcgi };
}

async function clientsOf({ folder, http }: Gateways, options: ClientOptions = {}): Promise<readonly Client[]> {
  const url = http.urls[0] as string;
  return [
    http1(url, allTasks, options),
    http1(url, allTasks, { ...options, first: 4 }),
    http1(url, allTasks, { ...options, isKept: false }),
    http1(url, allTasks, { ...options, isKept: false, first: 4 }),
    http2(url, allTasks, options),
    http2(url, allTasks, { ...options, first: 4 }),
    await fastcgiClient(`unix:${join(folder.path, "app.sock")}`, ownTasks, options),
    webSocket(url, options),
  ];
}

/** Every way of asking and every mount was in it, and a fair share of the requests went each way. */
function expectMixed(tallies: readonly Tally[]): void {
  const sum = (of: (tally: Tally) => number | undefined): number =>
    tallies.reduce((total, tally) => total + (of(tally) ?? 0), 0);
  const share = REQUESTS / 100;
  for (const kind of ["HTTP/1.1, kept", "HTTP/1.1, new connections", "HTTP/2", "FastCGI", "WebSocket"]) {
    expect(
      sum(({ kinds }) => kinds.get(kind)?.asked),
      kind,
    ).toBeGreaterThan(share);
  }
  for (const mount of ["/php", "/wsgi", "/asgi"]) {
    expect(
      sum(({ mounts }) => mounts.get(mount)),
      mount,
    ).toBeGreaterThan(share);
  }
}

async function reload(server: Server): Promise<void> {
  const done = server.says(/gw: (?:not )?reloaded/);
  server.kill("SIGHUP");
  await done;
}

onSite(
  `R-O2: ${RELOADS} reloads under load, ${REQUESTS} requests over HTTP/1.1, HTTP/2, FastCGI and WebSocket: none fails`,
  async () => {
    const running = await gateways();
    const { pid } = running.http;
    const before = await settledFigures(pid);
    const work: Load = load(await clientsOf(running));
    for (let time = 1; time <= RELOADS; time++) {
      await Promise.all([reload(running.http), reload(running.fastcgi)]);
      await work.until((REQUESTS * time) / RELOADS);
    }
    await work.end();
    const after = await settledFigures(pid);
    report("reload", work.tally, { reloads: RELOADS, before, after });
    expect(running.http.stderr()).not.toContain("not reloaded");
    expect([...work.tally.wrong]).toEqual([]);
    expect(work.tally.requests).toBeGreaterThanOrEqual(REQUESTS);
    expectMixed([work.tally]);
    expect(work.tally.kinds.get("WebSocket")?.announced).toBeGreaterThan(0);
    await expectAsBefore(pid, before);
  },
  60_000 + 900_000 * SCALE,
);

/** What a load balancer knows: it asks again and again whether the gateway is ready. */
async function watchReadiness(socketPath: string): Promise<{ isReady(): boolean; readonly over: Promise<void> }> {
  let isReady = true;
  const over = (async () => {
    while (isReady) {
      isReady = (await statusOf(socketPath, "/-/ready")) === 200;
      await new Promise((done) => setTimeout(done, 20));
    }
  })();
  return { isReady: () => isReady, over };
}

function statusOf(socketPath: string, path: string): Promise<number | undefined> {
  return new Promise((done) => {
    const request = httpGet({ socketPath, path, agent: false }, (answer) => done(answer.resume().statusCode));
    request.on("error", () => done(undefined));
  });
}

onSite(
  `R-O1: TERM with --drain-delay under load, ${RELOADS} times, ${REQUESTS} requests: every one that was taken is answered`,
  async () => {
    const tallies: Tally[] = [];
    for (let time = 0; time < RELOADS; time++) {
      const running = await gateways(["--drain-delay", "1s", "--admin", "unix:./admin.sock"], ["--drain-delay", "1s"]);
      const probe = await watchReadiness(join(running.folder.path, "admin.sock"));
      const work = load(await clientsOf(running, { isWelcome: probe.isReady }));
      await work.until(REQUESTS / RELOADS);
      running.http.kill("SIGTERM");
      running.fastcgi.kill("SIGTERM");
      expect(await Promise.all([running.http.ended, running.fastcgi.ended])).toEqual([0, 0]);
      await Promise.all([work.end(), probe.over]);
      report(`stop ${time + 1}`, work.tally);
      tallies.push(work.tally);
    }
    expect(tallies.flatMap(({ wrong }) => [...wrong])).toEqual([]);
    expect(tallies.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThanOrEqual(REQUESTS);
    expectMixed(tallies);
  },
  60_000 + 1_200_000 * SCALE,
);
