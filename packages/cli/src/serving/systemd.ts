// What systemd gives a service and wants to hear from it: sockets, readiness, signs of life.
import { spawn } from "node:child_process";

const FIRST_PASSED_FD = 3;

/**
 * The sockets that systemd has opened for us (sd_listen_fds(3)), as binds; `null`: none, or they are for another process.
 *
 * Takes the variables away: what we start is not meant.
 */
export function takeActivatedBinds(environment: NodeJS.ProcessEnv, pid: number): readonly string[] | null {
  const { LISTEN_PID, LISTEN_FDS } = environment;
  if (LISTEN_FDS === undefined || Number(LISTEN_PID) !== pid) return null;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  const count = Number(LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1) return null;
  return Array.from({ length: count }, (_, at) => `fd://${FIRST_PASSED_FD + at}`);
}

/** Whoever supervises us from outside. */
export interface ServiceManager {
  /** Every address listens. */
  ready(): void;
  /** A reload has begun; `ready` says when it is over. */
  reloading(): void;
  /** A stop has begun. */
  stopping(): void;
  /** No more signs of life; settles when the last word is out. */
  close(): Promise<void>;
}

const nobody: ServiceManager = { ready() {}, reloading() {}, stopping() {}, async close() {} };

/**
 * Speaks to systemd where it listens (`NOTIFY_SOCKET`, sd_notify(3)), with signs of life at half the time it allows
 * (`WATCHDOG_USEC`).
 *
 * Node has no datagram sockets of the unix kind, so `systemd-notify` carries the words: the unit needs `NotifyAccess=all`.
 */
export function serviceManager(environment: NodeJS.ProcessEnv): ServiceManager {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return nobody;
  // One after the other: each word is carried by a process of its own, and their order is what counts.
  let said: Promise<void> = Promise.resolve();
  const say = (...words: readonly string[]): void => {
    said = said.then(() => tell(NOTIFY_SOCKET, words));
  };
  const isWatched = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const watchMs = isWatched ? Number(WATCHDOG_USEC ?? 0) / 1_000 / 2 : 0;
  const timer = watchMs > 0 ? setInterval(() => say("WATCHDOG=1"), watchMs) : null;
  timer?.unref();
  return {
    ready: () => say("READY=1", `MAINPID=${process.pid}`),
    reloading: () => say("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: () => say("STOPPING=1"),
    close() {
      if (timer !== null) clearInterval(timer);
      return said;
    },
  };
}

/** Settles when the words are delivered, or could not be. */
function tell(socket: string, words: readonly string[]): Promise<void> {
  const messenger = spawn("systemd-notify", words, {
    stdio: "ignore",
    env: { PATH: process.env.PATH, NOTIFY_SOCKET: socket },
  });
  return new Promise((done) => {
    messenger.on("error", () => done()); // not installed: systemd will say that it has heard nothing
    messenger.on("exit", () => done());
  });
}

/** A reload that the service manager hears of, at its beginning and its end. */
export function announced<T>(reload: () => Promise<T>, manager: ServiceManager): () => Promise<T> {
  return () => {
    manager.reloading();
    return reload().finally(() => manager.ready());
  };
}
