import { type AppContext, encodeText } from "@gw/core";
import { run } from "@gw/core/testing";
import { listeningContext } from "@gw-private/listening-context";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { fromWsgi } from "./from-wsgi.ts";
import type { WsgiApp } from "./types.ts";

describe("an app that holds the main thread", () => {
  let elapsed = 0;
  let clock: MockInstance;
  beforeEach(() => {
    clock = vi.spyOn(performance, "now").mockImplementation(() => elapsed);
  });
  afterEach(() => clock.mockRestore());

  /** Takes so long, says the clock. */
  const taking =
    (ms: number): WsgiApp =>
    (_environ, startResponse) => {
      elapsed += ms;
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return [encodeText("done")];
    };

  async function linesOf(app: WsgiApp, facts: Partial<AppContext> = {}): Promise<readonly string[]> {
    const { context, log } = listeningContext();
    const running = await run(fromWsgi(app), { context: { ...context, ...facts } });
    for (let time = 0; time < 3; time++) expect((await running.request("/")).text()).toBe("done");
    await running.stop();
    return log.filter((line) => line.includes("held the main thread"));
  }

  test("R-W9: is told of once, with its time and the way out", async () => {
    const lines = await linesOf(taking(240));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/held the main thread for 240 ms.*wsgiThreads\(file\) or --threads 1/);
  });

  test("R-W9: is told of when it throws, too", async () => {
    const { context, log } = listeningContext();
    const running = await run(
      fromWsgi(() => {
        elapsed += 500;
        throw new Error("secret");
      }),
      { context },
    );
    expect((await running.request("/")).status).toBe(500);
    await running.stop();
    expect(log.join("\n")).toContain("held the main thread for 500 ms");
  });

  test("short calls, and a process that has one request, are not told of", async () => {
    expect(await linesOf(taking(99))).toEqual([]);
    expect(await linesOf(taking(240), { runsOnce: true })).toEqual([]);
  });
});
