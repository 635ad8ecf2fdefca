// The in-memory carrier of @gw/core/testing, under lint.
import { run } from "@gw/core/testing";
import type { Carrier } from "../carrier.ts";

/** No socket, no process: the fastest carrier, and the only one that lints. */
export function memoryCarrier(): Carrier {
  return {
    name: "in memory",
    abilities: new Set(["same-process", "stream-up", "cut-visible", "early-hints", "trailers"]),
    async open({ app, breaksRules = false }) {
      const running = await run(app, { lint: !breaksRules });
      return {
        async send({ method = "GET", target = "/", headers = [], body }) {
          const answer = await running.request(target, {
            method,
            headers: [["Host", "localhost"], ...headers],
            ...(body !== undefined && { body }),
          });
          const isCut = answer.outcome.result !== "sent";
          return {
            status: answer.status,
            headers: answer.headers,
            earlyHints: answer.earlyHints,
            body: replay(answer.bytes, isCut),
            trailers: () => answer.trailers,
            abort: () => {},
          };
        },
        close: () => running.stop(),
      };
    },
  };
}

async function* replay(bytes: Uint8Array, isCut: boolean): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
  if (isCut) throw new Error("the answer broke off");
}
