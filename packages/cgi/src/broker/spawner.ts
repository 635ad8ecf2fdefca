// Who starts the programs: the best broker this machine has, shared by all mounts of the process.
import { type AppContext, type Logger, type Status, toProcessEnvironment } from "@gw/core";
import { CgiError } from "../errors.ts";
import { fastcgiLauncher } from "../fastcgi-launcher.ts";
import { inProcessLauncher } from "../in-process-launcher.ts";
import type { Launcher, LaunchSpec, RunningProgram } from "../launcher.ts";
import { Broker } from "./broker.ts";
import { type BrokerCommand, type BrokerKind, brokerCommand } from "./kinds.ts";

/**
 * Who starts processes. `"python"`: a Python process beside ours, the fastest, and the only one that carries any byte.
 * `"node"`: a Node process beside ours. `"inprocess"`: ours, which stops the event loop at each start.
 * `"auto"`: the first of these that works here. `"fastcgi:unix:/run/fcgiwrap.socket"`: the FastCGI server at that address,
 * which runs executable files and can neither end them nor say how they ended.
 */
export type Spawner = "auto" | "python" | "node" | "inprocess" | `fastcgi:${string}`;

/** After its last user has stopped, a broker waits for the next one, as a reload brings it. */
const LINGER_MS = 1_000;
/** A broker that died is started again, but not more often than this. */
const RESTART_PAUSE_MS = 1_000;

const shared: Map<Spawner, Launcher> = new Map();

/** The launcher of this process for a spawner; mounts share it. */
export function launcherFor(spawner: Spawner): Launcher {
  const known = shared.get(spawner);
  if (known !== undefined) return known;
  const launcher = createLauncher(spawner);
  shared.set(spawner, launcher);
  return launcher;
}

function createLauncher(spawner: Spawner): Launcher {
  if (spawner === "inprocess") return inProcessLauncher;
  if (spawner === "auto" || spawner === "python" || spawner === "node") return new BrokerLauncher(spawner);
  if (spawner.startsWith("fastcgi:")) return fastcgiLauncher(spawner.slice("fastcgi:".length));
  const found = JSON.stringify(spawner);
  throw new CgiError("GW_CGI_OPTION", `spawner is auto, python, node, inprocess or fastcgi:address, found ${found}`);
}

/** What a broker launcher may be asked for. */
type BrokerSpawner = BrokerKind | "auto";

interface Choice {
  readonly kind: BrokerKind;
  readonly found: BrokerCommand;
  readonly broker: Broker;
}

/** For tests: how brokers are found. */
export interface BrokerLauncherOptions {
  /** @default what this machine has */
  find?: (kind: BrokerKind) => Promise<BrokerCommand>;
}

/** Starts programs through a broker. */
export class BrokerLauncher implements Launcher {
  readonly #find: (kind: BrokerKind) => Promise<BrokerCommand>;
  readonly #spawner: BrokerSpawner;
  #choice: Promise<Choice | null> | null = null;
  #name: string;
  #reason = "not started yet";
  #log: Logger | null = null;
  #users = 0;
  #restarts = 0;
  #restartedAt = Number.NEGATIVE_INFINITY;
  #linger: NodeJS.Timeout | null = null;

  constructor(spawner: BrokerSpawner, { find = brokerCommand }: BrokerLauncherOptions = {}) {
    this.#find = find;
    this.#spawner = spawner;
    this.#name = spawner;
  }

  get name(): string {
    return this.#name;
  }

  /** @throws CgiError `GW_CGI_OPTION` if the spawner that was asked for cannot be had. */
  async start({ log }: Pick<AppContext, "log">): Promise<void> {
    this.#users++;
    this.#log = log;
    if (this.#linger !== null) clearTimeout(this.#linger);
    try {
      await this.#chosen();
    } catch (error) {
      this.#users--;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#users--;
    if (this.#users === 0) this.#closeSoon();
  }

  status(): Status {
    const facts = { reason: this.#reason, restarts: this.#restarts };
    return { name: this.#name, state: "ready", error: null, facts };
  }

  async launch(spec: LaunchSpec): Promise<RunningProgram> {
    const choice = await this.#chosen();
    if (choice === null) return inProcessLauncher.launch(spec);
    // Node cannot hand over other bytes, wherever it runs.
    return choice.broker.launch(choice.kind === "node" ? onlyUtf8(spec) : spec);
  }

  #chosen(): Promise<Choice | null> {
    this.#choice ??= this.#choose().catch((error: unknown) => {
      this.#choice = null;
      throw error;
    });
    return this.#choice;
  }

  async #choose(): Promise<Choice | null> {
    const kinds: readonly BrokerKind[] = this.#spawner === "auto" ? ["python", "node"] : [this.#spawner];
    const reasons: string[] = [];
    for (const kind of kinds) {
      try {
        const found = await this.#find(kind);
        const choice = { kind, found, broker: await this.#open(found) };
        this.#chose(kind, [found.what, ...reasons]);
        return choice;
      } catch (error) {
        const why = (error as Error).message;
        if (this.#spawner !== "auto") {
          throw new CgiError("GW_CGI_OPTION", `the spawner ${kind} cannot be used here: ${why}`, { cause: error });
        }
        reasons.push(`not by ${kind}: ${why}`);
      }
    }
    this.#chose("inprocess", ["starting a program stops the event loop", ...reasons]);
    return null;
  }

  #chose(name: string, reasons: readonly string[]): void {
    const isNews = this.#name !== name;
    this.#name = name;
    this.#reason = reasons.join("; ");
    if (isNews || this.#restarts === 0) this.#log?.info(`CGI programs are started by: ${name} (${this.#reason})`);
  }

  #open({ command, tellsStart = false }: BrokerCommand): Promise<Broker> {
    return Broker.open({ command, tellsStart, onTrouble: (isGone) => this.#trouble(isGone) });
  }

  /** The broker died; its parent has started another one, or both are gone. */
  #trouble(isGone: boolean): void {
    this.#restarts++;
    this.#log?.warn("the spawn broker died and is started again; programs that run go on");
    if (!isGone) return;
    const pauseMs = Math.max(0, this.#restartedAt + RESTART_PAUSE_MS - performance.now());
    this.#restartedAt = performance.now() + pauseMs;
    const paused = new Promise<void>((done) => setTimeout(done, pauseMs));
    this.#choice = paused.then(() => this.#choose());
    this.#choice.catch((error: unknown) => {
      this.#choice = null;
      this.#log?.error({ err: error }, "the spawn broker could not be started again");
    });
  }

  #closeSoon(): void {
    this.#linger = setTimeout(() => void this.#close(), LINGER_MS);
    this.#linger.unref();
  }

  async #close(): Promise<void> {
    const choice = await this.#choice;
    if (this.#users > 0) return;
    if (choice?.broker.isBusy) return this.#closeSoon(); // with programs of somebody who never started us
    this.#choice = null;
    choice?.broker.close();
  }
}

function onlyUtf8(spec: LaunchSpec): LaunchSpec {
  toProcessEnvironment(spec.environment);
  return spec;
}
