// A web server for the tests: sends requests by the codec, collects what comes back.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Address } from "@gw/core";
import { RecordType, type Role, writeBeginRequest } from "../src/codec/index.ts";
import { writeParams } from "../src/codec/params.ts";
import { streamRecords, writeRecord } from "../src/codec/record.ts";
import { RequesterConnection, type RequesterEvent } from "../src/codec/requester.ts";

const nothing = new Uint8Array(0);

/** Records of a whole request. */
export function requestBytes(
  id: number,
  variables: Record<string, string>,
  { body = nothing, keep = true, role = "responder" }: { body?: Uint8Array; keep?: boolean; role?: Role } = {},
): Uint8Array {
  const all = {
    REQUEST_METHOD: body.length > 0 ? "POST" : "GET",
    REQUEST_URI: "/",
    SCRIPT_NAME: "",
    PATH_INFO: "/",
    SERVER_PROTOCOL: "HTTP/1.1",
    ...(body.length > 0 && { CONTENT_LENGTH: String(body.length) }),
    ...variables,
  };
  return Buffer.concat([
    writeBeginRequest(id, role, keep),
    writeRecord(RecordType.params, id, writeParams(Object.entries(all))),
    writeRecord(RecordType.params, id, nothing),
    ...streamRecords(RecordType.stdin, id, body),
    writeRecord(RecordType.stdin, id, nothing),
  ]);
}

/** What came for one request. */
export interface Collected {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  readonly appStatus: number;
  readonly protocolStatus: string | null;
}

/** A connection that collects events. */
export class Client {
  readonly socket: Socket;
  readonly machine = new RequesterConnection();
  readonly events: RequesterEvent[] = [];
  #wake = (): void => {};
  #isClosed = false;
  /** Why what came could not be read. */
  failure: unknown = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#feed(chunk);
      this.#wake();
    });
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
    socket.on("error", () => {});
  }

  static async open(address: Address): Promise<Client> {
    const socket = connect("path" in address ? { path: address.path } : address);
    await once(socket, "connect");
    return new Client(socket);
  }

  static openTo({ addresses: [address] }: { addresses: readonly Address[] }): Promise<Client> {
    return Client.open(address as Address);
  }

  /** Whether the application has closed the connection. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Waits until the test is true; throws if the connection closes first. */
  async until(test: () => boolean): Promise<void> {
    while (!test()) {
      if (this.#isClosed) throw new Error("the application closed the connection");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Settles when the application has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #feed(chunk: Uint8Array): void {
    this.events.push(...this.machine.feed(chunk));
    this.failure = this.machine.failure;
    if (this.failure !== null) this.socket.destroy();
  }

  /** Output of a request so far. */
  output(id: number): string {
    return this.events
      .map((event) => (event.kind === "output" && event.id === id ? Buffer.from(event.bytes).toString("latin1") : ""))
      .join("");
  }

  /** Sends a request and waits for its end. */
  async request(
    variables: Record<string, string>,
    options: { body?: Uint8Array; keep?: boolean; role?: Role } = {},
  ): Promise<Collected> {
    const id = this.machine.begin();
    this.socket.write(requestBytes(id, variables, options));
    return this.answer(id);
  }

  /** Waits for the end of a request. */
  async answer(id: number): Promise<Collected> {
    const find = () => this.events.find((event) => event.kind === "end" && event.id === id);
    await this.until(() => find() !== undefined);
    const end = find() as RequesterEvent & { kind: "end" };
    const [head = "", body = ""] = this.output(id).split(/\r\n\r\n(.*)/s);
    this.events.length = 0;
    return {
      status: Number(/^Status: (\d+)/.exec(head)?.[1] ?? 0),
      head,
      body,
      appStatus: end.appStatus,
      protocolStatus: end.protocolStatus,
    };
  }
}
