// What was said to a broker that died before it acted is said again to the next one.
import { join } from "node:path";
import { silentLogger } from "@gw/core";
import { expect, onTestFinished, test } from "vitest";
import { Broker } from "../src/broker/broker.ts";
import type { BrokerProgram } from "../src/broker/broker-program.ts";

async function launched(): Promise<BrokerProgram> {
  const script = join(import.meta.dirname, "apps/forgetful-broker.mjs");
  const broker = await Broker.open({ command: [process.execPath, script], onTrouble: () => {} });
  onTestFinished(() => broker.close());
  return broker.launch({ command: ["/bin/true"], cwd: "/", environment: {}, hasInput: false, log: silentLogger });
}

test("R-C14: a signal that died with its broker is sent again", async () => {
  const program = await launched();
  program.stop(60_000);
  expect(await program.exited).toEqual({ code: null, signal: "SIGTERM" });
});

test("R-C18: a question that died with its broker is asked again", async () => {
  const program = await launched();
  await program.livesOn();
});
