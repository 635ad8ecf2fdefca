// What the supervisor's tests share: a clock in the test's hand, programs, and a look at the process table.
import type { Backend, BackendSpec } from "../src/index.ts";
import { createMetrics } from "../src/index.ts";
import type { Clock } from "../src/node/clock.ts";
import { createLogger, type SuperviseOptions, superviseBackend } from "../src/node/index.ts";

/** A clock whose pauses end when the test says so. */
export class HandClock implements Clock {
  ms = 0;
  readonly #pauses: { readonly ms: number; readonly end: () => void }[] = [];
  #arrived: (() => void)[] = [];

  now(): number {
    return this.ms;
  }

  random(): number {
    return 0;
  }

  pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
      if (signal.aborted) return done();
      const pause = { ms, end: done };
      this.#pauses.push(pause);
      signal.addEventListener("abort", () => {
        this.#pauses.splice(this.#pauses.indexOf(pause), 1);
        done();
      });
      for (const arrived of this.#arrived.splice(0)) arrived();
    });
  }

  /** The pauses under way. */
  get pauses(): number[] {
    return this.#pauses.map(({ ms }) => ms);
  }

  /** Waits until this many pauses are under way for which the test holds. */
  async count(pauses: number, test: (ms: number) => boolean = () => true): Promise<void> {
    while (this.#pauses.filter(({ ms }) => test(ms)).length < pauses)
      await new Promise<void>((arrived) => this.#arrived.push(arrived));
  }

  /** Waits until a pause for which the test holds is under way, and ends it. */
  async pass(test: (ms: number) => boolean): Promise<number> {
    for (;;) {
      const at = this.#pauses.findIndex(({ ms }) => test(ms));
      const [pause] = at === -1 ? [] : this.#pauses.splice(at, 1);
      if (pause !== undefined) {
        this.ms += pause.ms;
        pause.end();
        return pause.ms;
      }
      await new Promise<void>((arrived) => this.#arrived.push(arrived));
    }
  }
}

const started = new Set<Backend>();

/** A backend that `stopStarted` stops, with what it logs and measures. */
export function supervise(
  spec: Partial<BackendSpec> & Pick<BackendSpec, "command">,
  options: Partial<SuperviseOptions> = {},
) {
  const logged: Record<string, unknown>[] = [];
  const log = createLogger({ format: "json", destination: (line) => logged.push(JSON.parse(line)) });
  const metrics = createMetrics();
  const backend = superviseBackend(
    { name: "test", env: { PATH: "/usr/bin:/bin" }, socket: "none", ready: "spawn", ...spec },
    { log, metrics, ...options },
  );
  started.add(backend);
  return { backend, logged, metrics };
}

/** For after each test. */
export async function stopStarted(): Promise<void> {
  await Promise.all([...started].map((backend) => backend.stop()));
  started.clear();
}

/** Settles when the condition holds; asked whenever the backend has changed. */
export function until(backend: Backend, condition: (backend: Backend) => boolean): Promise<void> {
  return new Promise((done) => {
    if (condition(backend)) return done();
    const end = backend.onChange(() => {
      if (!condition(backend)) return;
      end();
      done();
    });
  });
}

/** The process ids of a backend. */
export const pidsOf = (backend: Backend): number[] => backend.processes.map(({ pid }) => pid);

/** A shell script as a command. */
export const sh = (script: string): BackendSpec["command"] => ["/bin/sh", "-c", script];

/** A program that serves on GW_SOCKET: answers its pid after a moment, finishes what it has taken when it gets TERM. */
export const echoServer: BackendSpec["command"] = [
  process.execPath,
  "-e",
  `const server = require("net").createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("end", () => setTimeout(() => socket.end(String(process.pid)), 5));
  });
  server.listen(process.env.GW_SOCKET);
  process.on("SIGTERM", () => server.close());`,
];

/** The same for a shared socket on descriptor 0, which only blocking programs can have. */
export const perlServer: BackendSpec["command"] = [
  "perl",
  "-e",
  `use Socket; my $stop = 0; $SIG{TERM} = sub { $stop = 1 };
  sub finish { my $n; do { $n = sysread($_[0], my $b, 65536) } until defined $n && $n == 0; syswrite($_[0], $$); close($_[0]) }
  until ($stop) { accept(my $c, STDIN) or next; finish($c) }`,
];

/** One that needs no end of its input, and dies of TERM whatever it does: `hold` waits for a second line. */
export const lineServer: BackendSpec["command"] = [
  "perl",
  "-e",
  `use Socket; use IO::Handle; $SIG{USR1} = sub { exit 0 };
  while (accept(my $c, STDIN)) { my $l = <$c>; $l = <$c> if defined $l && $l =~ /hold/; print {$c} $$; close($c) }`,
];
