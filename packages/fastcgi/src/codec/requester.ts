// The web server's side of a connection: records in, events out. Does no I/O.
import { NULL_REQUEST_ID, type ProtocolStatus, RecordType } from "./constants.ts";
import { parseEndRequest } from "./control.ts";
import { ControlBody } from "./control-body.ts";
import { FastcgiProtocolError } from "./error.ts";
import { IdTable } from "./id-table.ts";
import { ParamsDecoder } from "./params.ts";
import { RecordDecoder, type RecordPart } from "./record.ts";

/** What an application answers, as it arrives. */
export type RequesterEvent =
  /** Bytes of FCGI_STDOUT. */
  | { readonly kind: "output"; readonly id: number; readonly bytes: Uint8Array }
  /** Bytes of FCGI_STDERR. */
  | { readonly kind: "error"; readonly id: number; readonly bytes: Uint8Array }
  /** FCGI_END_REQUEST: nothing more comes for this id. `protocolStatus: null`: one that does not exist. */
  | {
      readonly kind: "end";
      readonly id: number;
      readonly appStatus: number;
      readonly protocolStatus: ProtocolStatus | null;
    }
  /** FCGI_GET_VALUES_RESULT. */
  | { readonly kind: "values"; readonly values: ReadonlyMap<string, string> }
  /** FCGI_UNKNOWN_TYPE: the application does not know this management record. */
  | { readonly kind: "unknownType"; readonly type: number };

const MAX_CONTROL_BYTES = 1_024;

/** State of one connection to an application. Name each request with `begin` before its records are written. */
export class RequesterConnection {
  readonly #decoder: RecordDecoder = new RecordDecoder();
  readonly #control: ControlBody = new ControlBody(MAX_CONTROL_BYTES);
  readonly #ids: IdTable<true> = new IdTable();
  readonly #paramsDecoder: ParamsDecoder = new ParamsDecoder();
  #failure: FastcgiProtocolError | null = null;

  /** Requests that have begun and have not ended. */
  get activeRequests(): number {
    return this.#ids.size;
  }

  /** Whether nothing is under way, not even half a record: only then may the connection serve again (R-F13). */
  get isClean(): boolean {
    return this.#failure === null && this.#ids.size === 0 && this.#decoder.isBetweenRecords;
  }

  /** Takes the smallest free id, from 1. */
  begin(): number {
    const id = this.#ids.free;
    this.#ids.set(id, true);
    return id;
  }

  /** Gives an id back of which nothing was written. */
  withdraw(id: number): void {
    this.#ids.delete(id);
  }

  /** Why nothing more can be read: close the connection (R-F13, R-F15); `null` while all is well. */
  get failure(): FastcgiProtocolError | null {
    return this.#failure;
  }

  /**
   * Takes one chunk and returns what it means, in order, up to what cannot be understood: see `failure`.
   *
   * That is a record of an id that is not under way, or of a type only web servers send, or no record at all.
   */
  feed(chunk: Uint8Array): RequesterEvent[] {
    const events: RequesterEvent[] = [];
    if (this.#failure !== null) return events;
    try {
      for (const part of this.#decoder.feed(chunk)) this.#take(part, events);
      this.#failure = this.#decoder.failure;
    } catch (error) {
      this.#failure = error as FastcgiProtocolError;
    }
    return events;
  }

  /**
   * Call once when the application closes.
   *
   * @throws FastcgiProtocolError `GW_FCGI_PROTOCOL` if it closed inside a record
   */
  end(): void {
    this.#decoder.end();
  }

  #take(part: RecordPart, events: RequesterEvent[]): void {
    const { type, requestId: id, content, isLast } = part;
    if (id === NULL_REQUEST_ID) return this.#takeManagement(part, events);
    if (this.#ids.get(id) === null) {
      throw new FastcgiProtocolError("GW_FCGI_PROTOCOL", `a record of request ${id}, which is not under way`);
    }
    if (type === RecordType.stdout) {
      if (content.length > 0) events.push({ kind: "output", id, bytes: content });
    } else if (type === RecordType.stderr) {
      if (content.length > 0) events.push({ kind: "error", id, bytes: content });
    } else if (type === RecordType.endRequest) {
      this.#control.push(content, part.isFirst);
      if (!isLast) return;
      this.#ids.delete(id);
      events.push({ kind: "end", id, ...parseEndRequest(this.#control.bytes) });
    } else throw new FastcgiProtocolError("GW_FCGI_PROTOCOL", `a record of type ${type} from an application`);
  }

  #takeManagement({ type, content, isFirst, isLast }: RecordPart, events: RequesterEvent[]): void {
    this.#control.push(content, isFirst);
    if (!isLast) return;
    if (type === RecordType.getValuesResult) {
      events.push({ kind: "values", values: this.#paramsDecoder.decode(this.#control.bytes) });
    } else if (type === RecordType.unknownType) events.push({ kind: "unknownType", type: this.#control.bytes[0] ?? 0 });
  }
}
