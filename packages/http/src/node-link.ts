// A connection of somebody else's node:http server, as our exchanges see it: its times and its order are not ours.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TlsInfo } from "@gw/core";
import type { Http1Link, Http1Sender } from "./http1-sender.ts";
import type { HttpLimits } from "./limits.ts";

/** The link of one exchange in a foreign server. */
export class NodeLink implements Http1Link {
  readonly isOurs = false;
  readonly limits: HttpLimits;
  readonly socket: Socket;
  readonly tls: TlsInfo | null;
  readonly isLast = false;
  /** The exchange that uses it. */
  exchange: Http1Sender | null = null;

  constructor(socket: Socket, tls: TlsInfo | null, limits: HttpLimits) {
    this.socket = socket;
    this.limits = limits;
    this.tls = tls;
  }

  /** The framework may have set fields of its own: ours replace those of the same name, and keep their repeats. */
  writeHead(res: ServerResponse, status: number, lines: readonly string[]): void {
    for (let at = 0; at < lines.length; at += 2) res.removeHeader(lines[at] as string);
    for (let at = 0; at < lines.length; at += 2) res.appendHeader(lines[at] as string, lines[at + 1] as string);
    res.writeHead(status); // with a list, Node 20 would lose repeats
  }

  next(): void {}
  takeNoMore(): void {}
  watchWrites(): void {}
  unwatchWrites(): void {}
  beginDrain(): void {}

  failBody(error: unknown): void {
    this.exchange?.failBody(error);
  }

  closeGently(): void {
    this.socket.end();
  }

  cut(): void {
    this.socket.destroy();
  }
}
