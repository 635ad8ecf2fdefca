// Raw sockets for tests: bytes written by hand, everything that comes back as one byte string.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { RunningServer } from "../src/index.ts";

/** A connection whose incoming bytes can be awaited. */
export interface RawConnection {
  readonly socket: Socket;
  /** Writes a byte string. */
  write(bytes: string): void;
  /** All that has come, once it matches; rejects if the connection closes before. */
  until(pattern: RegExp): Promise<string>;
  /** All that came until the server closed. */
  end(): Promise<string>;
  /** All that has come so far. */
  received(): string;
}

/** Connects to the first address of a server. */
export async function raw(server: RunningServer): Promise<RawConnection> {
  const address = server.addresses[0] as { host: string; port: number } | { path: string };
  const socket = "path" in address ? connect(address.path) : connect(address.port, address.host);
  let received = "";
  let isClosed = false;
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const one of waiting) one();
  };
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received += text;
    look();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
    look();
  });
  await once(socket, "connect");
  const waitFor = (test: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!test() && !isClosed) return;
        waiting.delete(check);
        if (test()) resolve(received);
        else reject(new Error(`closed after ${JSON.stringify(received)}`));
      };
      waiting.add(check);
      check();
    });
  return {
    socket,
    write: (bytes) => void socket.write(bytes, "latin1"),
    until: (pattern) => waitFor(() => pattern.test(received)),
    end: () => waitFor(() => isClosed),
    received: () => received,
  };
}

/** Sends bytes on a new connection and gives back everything until the server closes it. */
export async function exchange(server: RunningServer, bytes: string): Promise<string> {
  const connection = await raw(server);
  connection.write(bytes);
  return connection.end();
}

/** The status codes of the messages in a byte string, interim ones included. */
export function statuses(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}
