// R-O5, R-O6, R-O11: what is killed costs the requests it had in hand, and nothing is left behind. GW_SOAK=1 is the whole of it
// (docs/proof/chaos.md); by default a twentieth runs.
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { type Server, serving } from "../gw.ts";
import { http1, http2, webSocket } from "./clients.ts";
import { expectAsBefore, expectNoGrowth, floorOf, settledFigures } from "./figures.ts";
import { type Death, isVictim, killProcesses, killRedis } from "./kills.ts";
import { type Client, load, report } from "./load.ts";
import { processesBelow } from "./process-tree.ts";
import { Redis } from "./redis.ts";
import { phpFpmName, shopTasks, shopWords, siteFolder, siteWords } from "./site.ts";
import { visitor } from "./visits.ts";

const SCALE = Number(process.env.GW_SOAK ?? 0.05);
const REQUESTS = 200_000 * SCALE;
const CHAOS_MS = 300_000 * SCALE;
const onSite = requires(phpFpmName, "python3", "redis-server", "/proc/self/fd");

function clientsOf(url: string): readonly Client[] {
  return [
    http1(url, shopTasks),
    http1(url, shopTasks, { first: 4 }),
    http1(url, shopTasks, { isKept: false, first: 2 }),
    http1(url, shopTasks, { isKept: false, first: 5 }),
    http2(url, shopTasks),
    http2(url, shopTasks, { first: 3 }),
    webSocket(url, { messages: 100 }),
    visitor(url),
    visitor(url, { isKept: false }),
  ];
}

/** A gateway with all of its processes, and the Redis that it uses. */
async function wholeSite(): Promise<{ server: Server; redis: Redis; url: string }> {
  const folder = siteFolder();
  const redis = new Redis(folder);
  await redis.start();
  const words = ["serve", ...siteWords, ...shopWords, "-p", "0", "--h2c", "-w", "2"];
  const server = await serving(folder, words, { environment: redis.environment });
  await settledFigures(server.pid);
  return { server, redis, url: server.urls[0] as string };
}

onSite(
  `R-O11: ${REQUESTS} mixed requests leave no process, no descriptor and no memory behind`,
  async () => {
    const { server, url } = await wholeSite();
    const work = load(clientsOf(url));
    // By then every pool is filled and every heap has found its size.
    const early = await floorOf(work, server.pid, [0.2 * REQUESTS, 0.5 * REQUESTS]);
    const late = await floorOf(work, server.pid, [0.7 * REQUESTS, REQUESTS]);
    await work.end();
    const after = await settledFigures(server.pid);
    report("calm", work.tally, { floors: { early, late }, after });
    expect([...work.tally.wrong]).toEqual([]);
    expect(work.tally.requests).toBeGreaterThanOrEqual(REQUESTS);
    expectNoGrowth(early, late);
  },
  60_000 + 1_200_000 * SCALE,
);

onSite(
  `R-O5, R-O6: ${CHAOS_MS / 1_000} s of kill -9 at random, of Redis too, cost what was in hand, and nothing is left behind`,
  async () => {
    const { server, redis, url } = await wholeSite();
    const idle = await settledFigures(server.pid);
    const deaths: Death[] = [];
    const chaos = load(clientsOf(url), (failure) => isVictim(failure, deaths));
    const over = performance.now() + CHAOS_MS;
    let isOver = false;
    onTestFinished(() => {
      isOver = true;
    });
    const goesOn = (): boolean => !isOver && (performance.now() < over || chaos.tally.requests < REQUESTS);
    await Promise.all([killProcesses(server.pid, deaths, goesOn), killRedis(redis, server.pid, deaths, goesOn)]);
    await chaos.end();
    const recovered = await settledFigures(server.pid);
    report("chaos", chaos.tally, { kills: countOf(deaths), idle, recovered });
    expect([...chaos.tally.wrong]).toEqual([]);
    expect(chaos.tally.requests).toBeGreaterThanOrEqual(REQUESTS);
    expect(deaths.map(({ role }) => role)).toContain("redis");
    await expectAsBefore(server.pid, idle);
    const fresh = load(clientsOf(url));
    await fresh.until(200);
    await fresh.end();
    expect([...fresh.tally.wrong]).toEqual([]);

    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(processesBelow(server.pid)).toEqual([]);
  },
  120_000 + 1_200_000 * SCALE,
);

function countOf(deaths: readonly Death[]): Readonly<Record<string, number>> {
  const kills: Record<string, number> = {};
  for (const { role } of deaths) kills[role] = (kills[role] ?? 0) + 1;
  return kills;
}
