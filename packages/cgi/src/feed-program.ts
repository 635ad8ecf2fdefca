// The request body on its way into a program, at the program's pace; a program may stop reading at any time (R-C15).
import type { Writable } from "node:stream";
import type { Deadlines } from "@gw/core";

/**
 * Writes the body to the program's standard input and closes that.
 *
 * Resolves early, without an error, when the program takes no more.
 *
 * @throws what reading the body throws: the program must not take half of a body for the whole.
 */
export async function feedProgram(
  input: Writable,
  body: AsyncIterator<Uint8Array>,
  deadlines: Deadlines,
): Promise<void> {
  // EPIPE and ECONNRESET only say that the program is not interested.
  input.on("error", () => {});
  while (!input.destroyed) {
    deadlines.waitForClient("input");
    const next = await body.next().finally(() => deadlines.clientDone("input"));
    if (next.done || input.destroyed) break;
    if (!input.write(next.value)) await drained(input);
  }
  input.end();
}

function drained(input: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      input.off("drain", done);
      input.off("close", done);
      resolve();
    };
    input.on("drain", done);
    input.on("close", done);
    if (input.destroyed) done();
  });
}
