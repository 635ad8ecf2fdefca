// How many processes a shared backend has, and when it ends.
import type { Backend, BackendSpec } from "@gw/core";
import { expect, test } from "vitest";
import { type BackendUser, SharedBackends } from "./shared-backends.ts";

const user = (generation = 1): BackendUser => ({ generation, backendChanged: () => {}, backendReady: () => {} });

/** Backends that only remember what was asked of them. */
function shared() {
  const asked: string[] = [];
  const start = (spec: BackendSpec): Backend => ({
    name: spec.name,
    state: "ready",
    addresses: [],
    processes: [],
    ready: Promise.resolve(),
    lastError: null,
    onChange: () => () => {},
    roll: async () => {},
    recycle: async () => {},
    resize: async (processes) => void asked.push(`${processes} processes`),
    stop: async () => void asked.push(`${spec.name} stopped`),
  });
  return { asked, backends: new SharedBackends({ start }) };
}

const spec: BackendSpec = { name: "pool", command: ["/bin/app"], env: {}, socket: "none", ready: "spawn" };

test("what each worker needs of a growing pool is added up, between the least and the most", async () => {
  const { asked, backends } = shared();
  const [one, other] = [user(), user()];
  for (const each of [one, other]) backends.start(each, { ...spec, processes: 2, maxProcesses: 6 });
  await backends.resize(one, "pool", 3);
  await backends.resize(other, "pool", 2);
  await backends.resize(other, "pool", 4);
  await backends.resize(one, "pool", 0);
  await backends.resize(other, "pool", 1);
  expect(asked).toEqual(["3 processes", "5 processes", "6 processes", "4 processes", "2 processes"]);
});

test("a worker that goes takes its need with it; the last one ends the pool", async () => {
  const { asked, backends } = shared();
  const [one, other] = [user(), user()];
  for (const each of [one, other]) backends.start(each, { ...spec, processes: 1, maxProcesses: 6 });
  await backends.resize(one, "pool", 3);
  await backends.resize(other, "pool", 2);
  backends.leave(one);
  await backends.stop(other, "pool");
  expect(asked).toEqual(["3 processes", "5 processes", "2 processes", "pool stopped"]);
});

test("of a backend with a number of its own there are as many as the most demanding worker asks for", async () => {
  const { asked, backends } = shared();
  const [one, other] = [user(), user()];
  for (const each of [one, other]) backends.start(each, { ...spec, processes: 4 });
  await backends.resize(one, "pool", 2);
  await backends.resize(other, "pool", 2);
  expect(asked).toEqual(["4 processes", "2 processes"]);
});

test("two workers must mean the same thing by a name; after a reload it may be another", () => {
  const { backends } = shared();
  backends.start(user(), spec);
  expect(() => backends.start(user(), { ...spec, env: { A: "1" } })).toThrow("another worker runs a different backend");
  expect(() => backends.start(user(2), { ...spec, env: { A: "1" } })).not.toThrow();
});
