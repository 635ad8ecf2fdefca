// What the workers of a gateway have counted, added up so that no counter ever goes back.
import { mergeExpositions } from "../admin/exposition.ts";
import { patiently } from "./patience.ts";

/** A worker as far as it is asked for its metrics. */
export interface MeasuredWorker {
  readonly pid: number;
  readonly peer: { call(name: "metrics", params: null): Promise<{ readonly text: string }> };
}

/**
 * The metrics of all workers, those that have ended included.
 *
 * What a worker said last counts until it is gone, and from then on for ever: a worker that hangs, or is killed before it
 * could say a last word, does not set a counter back. What it counted since it was last asked is lost with it.
 */
export class WorkerMetrics {
  readonly #latest = new Map<number, string>();
  readonly #patienceMs: number | undefined;
  #ended = "";

  /** @param patienceMs how long the others wait for a worker that hangs */
  constructor(patienceMs?: number) {
    this.#patienceMs = patienceMs;
  }

  /** A worker has begun. */
  joined(pid: number): void {
    this.#latest.set(pid, "");
  }

  /** A worker has said what it counted. What comes when it is gone already would count twice. */
  said(pid: number, text: string): void {
    if (this.#latest.has(pid)) this.#latest.set(pid, text);
  }

  /** A worker is gone. */
  left(pid: number): void {
    const last = this.#latest.get(pid);
    if (last === undefined || !this.#latest.delete(pid)) return;
    this.#ended = mergeExpositions([], [this.#ended, last]);
  }

  /** Asks the workers that run, and adds up: them, those that are gone, and what the primary itself counts. */
  async toText(workers: readonly MeasuredWorker[], own: () => string): Promise<string> {
    await Promise.all(workers.map((worker) => this.#ask(worker)));
    // From here to the end nothing waits: a worker is either here or among those that are gone, never both.
    return mergeExpositions([own(), ...this.#latest.values()], [this.#ended]);
  }

  async #ask({ pid, peer }: MeasuredWorker): Promise<void> {
    const answer = await patiently(peer.call("metrics", null), this.#patienceMs);
    if (answer !== null) this.said(pid, answer.text);
  }
}
