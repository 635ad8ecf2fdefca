// Waiting for workers whose primary was killed.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { GatewayError } from "@gw/core";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { afterOrphans } from "../src/tree/orphans.ts";

const test = requires("/proc/self/environ");
const inUse = new GatewayError("GW_BIND_IN_USE", 500, "cannot listen on 127.0.0.1:1: the address is in use");

/** A program that has the mark of a worker, and a parent that is no primary. */
async function orphan(cwd = process.cwd()): Promise<ChildProcess> {
  const child = spawn("sleep", ["600"], { cwd, env: { PATH: process.env.PATH, GATEWAY_WORKER_BINDS: "1" } });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return child;
}

test("an address that orphans hold is bound once they are gone, and people are told once why they wait", async () => {
  const child = await orphan();
  const lines: string[] = [];
  let tries = 0;
  const bind = async (): Promise<string> => {
    if (++tries === 3) child.kill("SIGKILL");
    if (child.signalCode === null) throw inUse;
    return "bound";
  };
  expect(await afterOrphans(bind, (line) => lines.push(line))).toBe("bound");
  expect(tries).toBeGreaterThan(3);
  expect(lines).toEqual([`gw: waiting for workers of a gateway that was killed: ${inUse.message}\n`]);
});

test("what somebody else holds is said without a wait for orphans of other gateways", async () => {
  const child = await orphan("/");
  const lines: string[] = [];
  const bind = (): Promise<never> => Promise.reject(inUse);
  await expect(afterOrphans(bind, (line) => lines.push(line))).rejects.toBe(inUse);
  expect([lines, child.exitCode, child.signalCode]).toEqual([[], null, null]);
});

test("any other error is nothing to wait for", async () => {
  await orphan();
  let tries = 0;
  const denied = new GatewayError("GW_BIND_ACCESS", 500, "permission denied");
  const bind = (): Promise<never> => {
    tries++;
    return Promise.reject(denied);
  };
  await expect(afterOrphans(bind, () => {})).rejects.toBe(denied);
  expect(tries).toBe(1);
});
