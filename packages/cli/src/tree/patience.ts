// Waiting for a worker that may hang or end: not for long.

/** How long those who ask wait for a worker that does not answer, milliseconds. */
const PATIENCE_MS = 1_000;

/** What comes of a call to a worker in good time; `null`: it hangs, or has ended. */
export async function patiently<T>(call: Promise<T>, patienceMs: number = PATIENCE_MS): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((done) => {
    timer = setTimeout(done, patienceMs, null);
  });
  const result = await Promise.race([call.catch(() => null), late]);
  clearTimeout(timer);
  return result;
}
