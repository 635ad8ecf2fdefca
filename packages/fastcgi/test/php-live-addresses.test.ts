// A PHP of ours that has died, and nobody has told its site yet.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, type BackendState, createContext, text } from "@gw/core";
import { type RunningApp, run } from "@gw/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { phpFpm, serveFastcgi } from "../src/index.ts";

/** A backend whose addresses the test says. */
class ToldBackend implements Backend {
  readonly name = "php";
  readonly state: BackendState = "ready";
  readonly ready: Promise<void> = Promise.resolve();
  readonly lastError = null;
  readonly processes = [];
  addresses: readonly string[];
  #tell = (): void => {};

  constructor(addresses: readonly string[]) {
    this.addresses = addresses;
  }

  onChange(listener: () => void): () => void {
    this.#tell = listener;
    return () => {};
  }

  isNowAt(...addresses: readonly string[]): void {
    this.addresses = addresses;
    this.#tell();
  }

  async roll(): Promise<void> {}
  async resize(): Promise<void> {}
  async recycle(): Promise<void> {}
  async stop(): Promise<void> {}
}

async function siteAt(
  address: (folder: string) => string,
): Promise<{ app: RunningApp; backend: ToldBackend; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "gw-php-live-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "index.php"), "");
  const backend = new ToldBackend([address(folder)]);
  const context = { ...createContext(), backends: { start: async () => backend } };
  const site = phpFpm({ root: folder, start: { command: "/bin/sh" }, queueTimeoutMs: 10_000 });
  const app = await run(site, { context });
  onTestFinished(() => app.stop());
  return { app, backend, folder };
}

test("R-O5: requests wait for the next PHP when the only one is found dead at its socket", async () => {
  const { app, backend, folder } = await siteAt((place) => join(place, "dead.sock"));
  const waiting = [app.request("/index.php"), app.request("/index.php", { method: "POST", body: "x" })];
  const next = serveFastcgi(() => text("back"), { listen: `unix:${folder}/next.sock` });
  onTestFinished(() => next.close());
  await next.ready;
  backend.isNowAt(join(folder, "dead.sock")); // what the supervisor says while it does not know yet: nothing changes
  backend.isNowAt(join(folder, "next.sock"));
  for (const answer of await Promise.all(waiting)) expect([answer.status, answer.text()]).toEqual([200, "back"]);
});

test("a connection that fails for another reason does not make its PHP a dead one", async () => {
  const { app, backend } = await siteAt(() => "/dev/null/s");
  const answers = await Promise.all([app.request("/index.php"), app.request("/index.php")]);
  expect(answers.map(({ status }) => status)).toEqual([502, 502]);
  expect(backend.addresses).toEqual(["/dev/null/s"]);
});
