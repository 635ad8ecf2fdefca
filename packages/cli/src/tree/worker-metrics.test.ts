import { createMetrics } from "@gw/core";
import { expect, test } from "vitest";
import { type MeasuredWorker, WorkerMetrics } from "./worker-metrics.ts";

function counted(requests: number, inFlight = 0): string {
  const metrics = createMetrics();
  metrics.counter({ name: "requests_total", help: "Exchanges." }).add(requests);
  metrics.gauge({ name: "in_flight", help: "Now." }).set(inFlight);
  return metrics.toText();
}

const worker = (pid: number, answer: () => Promise<string>): MeasuredWorker => ({
  pid,
  peer: { call: async () => ({ text: await answer() }) },
});

const nothing = (): string => "";

async function numbers(metrics: WorkerMetrics, workers: readonly MeasuredWorker[]): Promise<readonly number[]> {
  const text = await metrics.toText(workers, nothing);
  return ["requests_total", "in_flight"].map((name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]));
}

test("what a killed worker said last counts on, how it was then does not", async () => {
  const metrics = new WorkerMetrics();
  const [one, two] = [worker(1, async () => counted(5, 2)), worker(2, async () => counted(7, 1))];
  metrics.joined(1);
  metrics.joined(2);
  expect(await numbers(metrics, [one, two])).toEqual([12, 3]);
  metrics.left(2); // without a last word
  expect(await numbers(metrics, [one])).toEqual([12, 2]);
  metrics.joined(3);
  expect(await numbers(metrics, [one, worker(3, async () => counted(1))])).toEqual([13, 2]);
});

test("a worker that hangs keeps its last numbers, and nobody waits long for it", async () => {
  const metrics = new WorkerMetrics(20);
  let text: Promise<string> = Promise.resolve(counted(5));
  const one = worker(1, () => text);
  metrics.joined(1);
  expect(await numbers(metrics, [one])).toEqual([5, 0]);
  text = new Promise(() => {});
  expect(await numbers(metrics, [one])).toEqual([5, 0]);
});

test("last words count once, whether somebody asks at that moment or not", async () => {
  const metrics = new WorkerMetrics();
  let say: (text: string) => void = () => {};
  const one = worker(1, () => new Promise((done) => (say = done)));
  metrics.joined(1);
  const asked = numbers(metrics, [one]);
  metrics.said(1, counted(8));
  expect(await numbers(metrics, [])).toEqual([8, 0]); // it ends, and is not among those that serve any more
  metrics.left(1);
  say(counted(8)); // its answer was still on its way
  expect(await asked).toEqual([8, Number.NaN]);
  expect(await numbers(metrics, [])).toEqual([8, Number.NaN]);
});
