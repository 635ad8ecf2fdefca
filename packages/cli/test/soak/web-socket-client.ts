// A WebSocket client for load: short text messages, one question at a time (RFC 6455).
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";

/** How a socket ended; 1006: without a close frame. */
export interface SocketEnd {
  readonly code: number;
}

/** An open socket. */
export class WebSocketClient {
  readonly #socket: Socket;
  #bytes: Buffer;
  #end: SocketEnd | null = null;
  #answer: ((came: string | SocketEnd) => void) | null = null;

  private constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#bytes = head;
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#read();
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#ended(1006));
    this.#read();
  }

  /** @throws the system's error, or one with the status of the refusal */
  static async open(url: string, path: string): Promise<WebSocketClient> {
    const key = randomBytes(16).toString("base64");
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": key,
    };
    const request = httpRequest(`${url}${path}`, { agent: false, headers });
    request.end();
    return new Promise((done, fail) => {
      request.on("upgrade", (_answer, socket: Socket, head: Buffer) => done(new WebSocketClient(socket, head)));
      request.on("response", (answer) => fail(new Error(`opening: ${answer.resume().statusCode}`)));
      request.on("error", fail);
    });
  }

  /** Sends a text of up to 125 bytes and waits for the next one, or for the end. */
  ask(text: string): Promise<string | SocketEnd> {
    if (this.#end !== null) return Promise.resolve(this.#end);
    return new Promise((done) => {
      this.#answer = done;
      this.#send(1, Buffer.from(text));
    });
  }

  close(): void {
    this.#send(8, Buffer.from([3, 232])); // 1000
    this.#socket.end();
    void once(this.#socket, "close").catch(() => {});
  }

  #send(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const masked = payload.map((byte, at) => byte ^ (mask[at % 4] as number));
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]));
  }

  #read(): void {
    for (;;) {
      const [first = 0, length = 0] = this.#bytes;
      if (this.#bytes.length < 2 || this.#bytes.length < 2 + length) return;
      const payload = this.#bytes.subarray(2, 2 + length);
      this.#bytes = this.#bytes.subarray(2 + length);
      const opcode = first & 15;
      if (opcode === 1) this.#tell(payload.toString());
      if (opcode === 9) this.#send(10, payload);
      if (opcode !== 8) continue;
      this.#send(8, payload);
      this.#socket.end();
      return this.#ended(payload.length >= 2 ? payload.readUInt16BE(0) : 1005);
    }
  }

  #ended(code: number): void {
    if (this.#end !== null) return;
    this.#end = { code };
    this.#tell(this.#end);
  }

  #tell(came: string | SocketEnd): void {
    this.#answer?.(came);
    this.#answer = null;
  }
}
