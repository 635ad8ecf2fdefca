// A body that is still being made, coded as it comes: each chunk can be read by the client at once.
import type { Coder } from "./codings.ts";

/** Codes a stream of chunks; what each one becomes goes out with it. Errors pass, and stopping early stops the source. */
export async function* codeLive(body: AsyncIterable<Uint8Array>, coder: Coder): AsyncGenerator<Uint8Array> {
  const stream = coder.stream();
  const failed = new Promise<never>((_, reject) => stream.once("error", reject));
  failed.catch(() => {}); // told by the step that waits
  const step = (run: (done: () => void) => void): Promise<void> => Promise.race([new Promise<void>(run), failed]);
  try {
    for await (const chunk of body) {
      stream.write(chunk);
      await step((done) => stream.flush(coder.flush, done));
      const coded = stream.read() as Uint8Array | null;
      if (coded !== null) yield coded;
    }
    stream.end();
    yield* stream as AsyncIterable<Uint8Array>; // "finish" comes before the last bytes do
  } finally {
    stream.destroy();
  }
}
