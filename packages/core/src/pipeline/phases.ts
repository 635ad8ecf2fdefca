// What an exchange waits for behind its layers: for a free place, a new process, a connection. Layers such as tracing watch it.
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { Phase, PhaseEnd, PhaseWatcher } from "../model/phase.ts";
import type { Exchange } from "../model/request.ts";
import { isPromise } from "./and-then.ts";
import { notesIfAny, notesOf } from "./notes.ts";

/** Watches the phases of an exchange; a later watcher hears of them beside the earlier ones. */
export function watchPhases(exchange: Exchange, watcher: PhaseWatcher): void {
  const notes = notesOf(exchange);
  const before = notes.phases;
  notes.phases = before === null ? watcher : both(before, watcher);
}

function both(one: PhaseWatcher, other: PhaseWatcher): PhaseWatcher {
  return (phase) => {
    const ends = [one(phase), other(phase)];
    return (error) => {
      for (const end of ends) end(error);
    };
  };
}

/** Begins a phase; call what it gives when the phase is over. Costs nothing where nobody watches. */
export function beginPhase(exchange: Exchange, phase: Phase): PhaseEnd {
  return notesIfAny(exchange)?.phases?.(phase) ?? unwatched;
}

const unwatched: PhaseEnd = () => {};

/** Runs something that may have to wait, as a phase. What is there at once was no wait, and is no phase. */
export function inPhase<T>(exchange: Exchange, phase: Phase, run: () => MaybePromise<T>): MaybePromise<T> {
  const result = run();
  if (!isPromise(result)) return result;
  const watcher = notesIfAny(exchange)?.phases ?? null;
  if (watcher === null) return result;
  const end = watcher(phase);
  return result.then(
    (value) => {
      end();
      return value;
    },
    (error: unknown) => {
      end(error);
      throw error;
    },
  );
}
