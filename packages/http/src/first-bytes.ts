// Looks at the first bytes of a connection before anything else reads it.
import type { Socket } from "node:net";

/** What the first bytes were: how many of them to take away, and what they mean. */
export interface FirstBytes<T> {
  readonly lengthBytes: number;
  readonly value: T;
}

/** How to read first bytes. */
export interface FirstBytesOptions<T> {
  /** The meaning of the bytes so far; `null`: more are needed. May throw: then the connection is closed. */
  readonly parse: (bytes: Buffer) => FirstBytes<T> | null;
  readonly timeoutMs: number;
  /** Called once, if at all. What was not taken is still there to read. */
  readonly onRead: (value: T) => void;
  /** Called if the bytes made no sense. */
  readonly onError: (error: unknown) => void;
}

/** Reads the first bytes of a socket; destroys it if they do not come in time. */
export function readFirstBytes<T>(socket: Socket, { parse, timeoutMs, onRead, onError }: FirstBytesOptions<T>): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs).unref();
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("close", stop);
    socket.off("end", onEnd);
  };
  const onEnd = (): void => void socket.destroy();
  const onReadable = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    let found: FirstBytes<T> | null;
    try {
      found = parse(bytes);
    } catch (error) {
      stop();
      socket.destroy();
      return onError(error);
    }
    if (found === null) return;
    stop();
    if (found.lengthBytes < bytes.length) socket.unshift(bytes.subarray(found.lengthBytes));
    onRead(found.value);
  };
  socket.on("error", () => {});
  socket.on("readable", onReadable);
  socket.on("end", onEnd);
  socket.on("close", stop);
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; // RFC 9113 §3.4

/** Tells HTTP/2 with prior knowledge from HTTP/1.x; takes nothing away. */
export function parsePreface(bytes: Buffer): FirstBytes<1 | 2> | null {
  const start = bytes.toString("latin1", 0, PREFACE.length);
  if (!PREFACE.startsWith(start)) return { lengthBytes: 0, value: 1 };
  return start.length < PREFACE.length ? null : { lengthBytes: 0, value: 2 };
}
