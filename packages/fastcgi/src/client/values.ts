// What a backend says of itself (FCGI_GET_VALUES, FastCGI 1.0 §4.1): whether a connection may carry several requests.
import { connect } from "node:net";
import type { Address } from "@gw/core";
import { writeGetValues } from "../codec/control.ts";
import { RequesterConnection } from "../codec/requester.ts";

const PATIENCE_MS = 1_000;

/**
 * Asks at a connection of its own, half closed at once: libfcgi does not answer and would wait for more, but closes.
 *
 * @returns `null` if there is nobody to ask now
 */
export function announcesMultiplexing(address: Address): Promise<boolean | null> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, allowHalfOpen: true });
    const machine = new RequesterConnection();
    const settle = (answer: boolean | null): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(answer);
    };
    const late = setTimeout(() => settle(false), PATIENCE_MS);
    socket.once("connect", () => socket.end(writeGetValues(["FCGI_MPXS_CONNS"])));
    socket.on("data", (chunk) => {
      for (const event of machine.feed(chunk)) {
        if (event.kind === "values") return settle(event.values.get("FCGI_MPXS_CONNS") === "1");
      }
      if (machine.failure !== null) settle(false);
    });
    socket.once("end", () => settle(false));
    socket.on("error", () => settle(socket.bytesWritten > 0 ? false : null));
  });
}
