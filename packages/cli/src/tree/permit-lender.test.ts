// R-O10: permits over several workers. Messages between them and the primary are delivered one by one, at any moment.
import type { PermitPool } from "@gw/core";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BorrowedPermits } from "./borrowed-permits.ts";
import { PermitLender } from "./permit-lender.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] }));
afterEach(() => void vi.useRealTimers());

/** A worker with requests that run and requests that wait, at the other end of two lines of messages. */
class Worker {
  readonly toPrimary: (() => void)[] = [];
  readonly toWorker: (() => void)[] = [];
  readonly pool: PermitPool;
  readonly permits: BorrowedPermits;
  running = 0;
  waiting = 0;
  isAlive = true;

  constructor({ lender, limit, workers }: { lender: PermitLender<Worker>; limit: number; workers: number }) {
    this.permits = new BorrowedPermits({
      join: () => this.toPrimary.push(() => lender.join(this, { limit, workers })),
      report: (_, report) => this.toPrimary.push(() => lender.hear(this, report)),
    });
    this.pool = this.permits.pool("a", limit);
    this.pool.onChange(() => this.#serve());
  }

  ask(): void {
    if (this.waiting === 0 && this.pool.take()) this.running++;
    else this.pool.want(++this.waiting);
  }

  finish(): void {
    if (this.running === 0) return;
    this.running--;
    this.pool.give();
  }

  #serve(): void {
    while (this.waiting > 0 && this.pool.take()) {
      this.waiting--;
      this.running++;
    }
    this.pool.want(this.waiting);
  }
}

class Gateway {
  readonly workers: Worker[] = [];
  readonly lender: PermitLender<Worker>;
  readonly #limit: number;
  readonly #count: number;
  messages = 0;

  constructor(limit: number, count: number) {
    this.#limit = limit;
    this.#count = count;
    this.lender = new PermitLender(limit, (worker, loan) => {
      if (worker.isAlive) worker.toWorker.push(() => worker.permits.lent("a", loan));
    });
    for (let at = 0; at < count; at++) this.add();
  }

  add(): void {
    this.workers.push(new Worker({ lender: this.lender, limit: this.#limit, workers: this.#count }));
  }

  get alive(): Worker[] {
    return this.workers.filter(({ isAlive }) => isAlive);
  }

  /** Running requests, of those that are alive: the dead run nothing. */
  get running(): number {
    return this.alive.reduce((sum, { running }) => sum + running, 0);
  }

  deliver(worker: Worker, direction: "toPrimary" | "toWorker"): boolean {
    const message = worker[direction].shift();
    message?.();
    if (message !== undefined) this.messages++;
    return message !== undefined;
  }

  kill(worker: Worker): void {
    worker.isAlive = false;
    worker.toPrimary.length = 0;
    worker.toWorker.length = 0;
    this.lender.leave(worker);
  }

  /** Lets everything be said and every timer of the workers fire, as long as something comes of it. */
  settle(ms = 0): void {
    for (let round = 0; round < 10_000; round++) {
      vi.advanceTimersByTime(0);
      const moved = this.alive.map((one) => this.deliver(one, "toPrimary") || this.deliver(one, "toWorker"));
      if (moved.includes(true)) continue;
      if (ms <= 0) return;
      vi.advanceTimersByTime(50);
      ms -= 50;
    }
    throw new Error("they do not stop talking");
  }
}

type Step = readonly ["ask" | "finish" | "toPrimary" | "toWorker" | "tick" | "kill", number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("ask", "ask", "finish", "toPrimary", "toWorker", "tick", "tick", "kill"),
  fc.nat({ max: 6 }),
) as fc.Arbitrary<Step>;

function take(gateway: Gateway, [what, which]: Step): void {
  const { alive } = gateway;
  const worker = alive[which % alive.length] as Worker;
  if (what === "ask") worker.ask();
  else if (what === "finish") worker.finish();
  else if (what === "tick") vi.advanceTimersByTime(which * 40);
  else if (what !== "kill") gateway.deliver(worker, what);
  else if (which === 0) {
    gateway.kill(worker);
    gateway.add();
  }
}

test("R-O10: whatever happens in whatever order, never more run than allowed, and none waits for ever", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 120 }),
      (limit, workers, steps) => {
        const gateway = new Gateway(limit, workers);
        for (const one of steps) {
          take(gateway, one);
          expect(gateway.running).toBeLessThanOrEqual(limit);
        }
        for (let round = 0; gateway.alive.some(({ waiting }) => waiting > 0); round++) {
          expect(round).toBeLessThan(500);
          gateway.settle(300);
          expect(gateway.running).toBeLessThanOrEqual(limit);
          for (const worker of gateway.alive) worker.finish();
        }
        // Nothing was lost on the way: one worker can have them all.
        for (const worker of gateway.alive) while (worker.running > 0) worker.finish();
        const [one] = gateway.alive as [Worker];
        for (let asked = 0; asked < limit; asked++) one.ask();
        gateway.settle(300);
        expect(one.running).toBe(limit);
        one.ask();
        gateway.settle();
        expect([one.waiting, one.pool.isEmpty]).toEqual([1, true]);
      },
    ),
    { numRuns: 300 },
  );
});

test("R-O5: what a killed worker held is there for the others at once", () => {
  const gateway = new Gateway(4, 2);
  gateway.settle();
  const [one, other] = gateway.workers as [Worker, Worker];
  for (let asked = 0; asked < 4; asked++) one.ask();
  gateway.settle();
  expect(one.running).toBe(4);
  other.ask();
  gateway.settle();
  expect(other.waiting).toBe(1);
  gateway.kill(one);
  gateway.settle();
  expect([other.running, other.waiting]).toEqual([1, 0]);
});

test("a lightly loaded worker asks nobody", () => {
  const gateway = new Gateway(8, 2);
  gateway.settle();
  const { messages } = gateway;
  for (let time = 0; time < 1_000; time++) {
    for (const worker of gateway.workers) worker.ask();
    for (const worker of gateway.workers) worker.finish();
  }
  gateway.settle();
  expect(gateway.messages).toBe(messages);
});

test("workers whose requests all wait get equal parts, and hardly talk while it stays so", () => {
  const gateway = new Gateway(6, 3);
  const [first] = gateway.workers as [Worker];
  for (let asked = 0; asked < 40; asked++) first.ask();
  gateway.settle();
  expect(first.running).toBe(6);
  for (const worker of gateway.workers) for (let asked = 0; asked < 40; asked++) worker.ask();
  for (let time = 0; time < 20; time++) {
    gateway.settle();
    for (const worker of gateway.workers) worker.finish();
  }
  gateway.settle();
  expect(gateway.workers.map(({ running }) => running)).toEqual([2, 2, 2]);
  const { messages } = gateway;
  for (let time = 0; time < 10; time++) for (const worker of gateway.workers) worker.finish();
  gateway.settle();
  expect(gateway.messages - messages).toBe(0);
});

test("one permit goes round among workers that all want it", () => {
  const gateway = new Gateway(1, 3);
  const served = new Map(gateway.workers.map((worker) => [worker, 0]));
  for (const worker of gateway.workers) for (let asked = 0; asked < 20; asked++) worker.ask();
  for (let time = 0; time < 30; time++) {
    gateway.settle();
    const worker = gateway.workers.find(({ running }) => running > 0) as Worker;
    served.set(worker, (served.get(worker) as number) + 1);
    worker.finish();
  }
  expect([...served.values()]).toEqual([10, 10, 10]);
});

test("after a rush every worker has its share at hand again", () => {
  const gateway = new Gateway(8, 2);
  const [one] = gateway.workers as [Worker, Worker];
  for (let asked = 0; asked < 9; asked++) one.ask();
  gateway.settle();
  expect(gateway.workers.map((worker) => gateway.lender.lentTo(worker))).toEqual([8, 0]);
  for (let asked = 0; asked < 9; asked++) one.finish();
  gateway.settle(300);
  const { messages } = gateway;
  for (const worker of gateway.workers) worker.ask();
  expect(gateway.workers.map(({ running }) => running)).toEqual([1, 1]);
  expect(gateway.messages).toBe(messages);
});

test("who does not answer keeps nobody in doubt for long", () => {
  const gateway = new Gateway(2, 2);
  gateway.settle();
  const [one] = gateway.workers as [Worker, Worker];
  one.ask();
  one.ask(); // the other has the second permit, and hangs
  vi.advanceTimersByTime(0);
  gateway.deliver(one, "toPrimary");
  while (gateway.deliver(one, "toWorker"));
  expect(one.pool.isEmpty).toBe(false);
  vi.advanceTimersByTime(1_000);
  expect([one.pool.isEmpty, one.waiting]).toEqual([true, 1]);
  gateway.settle();
  expect([one.running, one.waiting]).toEqual([2, 0]);
});

test("R-O2: a reload with a lower limit: what is too much comes back as requests end", () => {
  const gateway = new Gateway(4, 1);
  const [old] = gateway.workers as [Worker];
  for (let asked = 0; asked < 4; asked++) old.ask();
  gateway.settle();
  const next = new Worker({ lender: gateway.lender, limit: 2, workers: 1 });
  gateway.workers.push(next);
  next.ask();
  gateway.settle();
  expect([gateway.lender.free, next.waiting]).toEqual([-2, 1]);
  for (const running of [3, 2]) {
    old.finish();
    gateway.settle();
    expect([old.running, next.running]).toEqual([running, 0]);
  }
  old.finish();
  gateway.settle();
  expect([old.running, next.running]).toEqual([1, 1]);
});
