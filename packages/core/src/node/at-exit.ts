// What must be done in the last moment of the process, synchronously: kill children, remove socket files, write the log.

const duties = new Set<() => void>();
let listens = false;

/**
 * Runs a function when the process exits (not when a signal kills it). Newest first.
 *
 * @returns takes the duty back
 */
export function atExit(duty: () => void): () => void {
  duties.add(duty);
  if (!listens) {
    listens = true;
    process.on("exit", runDuties);
  }
  return () => duties.delete(duty);
}

function runDuties(): void {
  for (const duty of [...duties].reverse()) {
    try {
      duty();
    } catch {
      // the other duties matter more than this one's error
    }
  }
}
