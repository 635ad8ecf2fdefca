// The application's side of a connection: records in, events out. Knows every rule of order; does no I/O.
import { NULL_REQUEST_ID, type ProtocolStatus, RecordType, type Role } from "./constants.ts";
import { parseBeginRequest, writeEndRequest, writeGetValuesResult, writeUnknownType } from "./control.ts";
import { ControlBody } from "./control-body.ts";
import { FastcgiProtocolError } from "./error.ts";
import { ParamsBuffer, ParamsDecoder, type ParamsLimits } from "./params.ts";
import { RecordDecoder, type RecordPart } from "./record.ts";

/** What a web server asks of an application, as it arrives. */
export type ApplicationEvent =
  /** A request whose variables are complete. Its input follows. */
  | {
      readonly kind: "request";
      readonly id: number;
      readonly role: Role;
      readonly keepConnection: boolean;
      readonly params: ReadonlyMap<string, string>;
    }
  /** Bytes of FCGI_STDIN. */
  | { readonly kind: "input"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "inputEnd"; readonly id: number }
  /** Bytes of FCGI_DATA, for a filter only. */
  | { readonly kind: "data"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "dataEnd"; readonly id: number }
  /** FCGI_ABORT_REQUEST: end it soon, with FCGI_END_REQUEST (§5.4). */
  | { readonly kind: "abort"; readonly id: number }
  /** Variables that break a limit or the format; the request is the caller's to answer and to end. */
  | {
      readonly kind: "invalid";
      readonly id: number;
      readonly keepConnection: boolean;
      readonly error: FastcgiProtocolError;
    }
  /** Bytes to write to the web server at once. */
  | { readonly kind: "reply"; readonly bytes: Uint8Array }
  /** A refused request asked for the connection to be closed after it. */
  | { readonly kind: "close" };

/** Settings of the application's side. */
export interface ApplicationOptions extends ParamsLimits {
  /** Roles served; others get FCGI_UNKNOWN_ROLE. @default ["responder"] */
  roles?: readonly Role[];
  /** Requests at once on one connection; 1: FCGI_CANT_MPX_CONN, else FCGI_OVERLOADED beyond it (§5.5). @default 100 */
  maxRequests?: number;
  /** Answers to FCGI_GET_VALUES (§4.1). @default FCGI_MPXS_CONNS alone, by `maxRequests` */
  values?: ReadonlyMap<string, string>;
  /** Shared by connections, so that names are learned once. */
  paramsDecoder?: ParamsDecoder;
}

/** A request that has begun and is not finished. */
export interface BegunRequest {
  readonly id: number;
}

interface ActiveRequest extends BegunRequest {
  readonly role: Role;
  readonly keepConnection: boolean;
  /** `null` once the variables are complete. */
  params: ParamsBuffer | null;
  isInputOpen: boolean;
  isDataOpen: boolean;
}

const DEFAULT_MAX_REQUESTS = 100;
const MAX_CONTROL_BYTES = 1_024;
const FIRST_UNKNOWN_TYPE = 12;
/** The exit status of what was not done. */
const ABORTED_STATUS = 1;

/** State of one connection. Feed it what arrives; tell it with `finish` when a request has been answered. */
export class ApplicationConnection {
  readonly #decoder: RecordDecoder = new RecordDecoder();
  readonly #control: ControlBody = new ControlBody(MAX_CONTROL_BYTES);
  readonly #requests: Map<number, ActiveRequest> = new Map();
  readonly #roles: readonly Role[];
  readonly #maxRequests: number;
  readonly #values: ReadonlyMap<string, string>;
  readonly #limits: ParamsLimits;
  readonly #paramsDecoder: ParamsDecoder;
  /** Requests whose variables are incomplete. */
  #openings = 0;

  constructor(options: ApplicationOptions = {}) {
    const { roles = ["responder"], maxRequests = DEFAULT_MAX_REQUESTS, values, paramsDecoder, ...limits } = options;
    this.#roles = roles;
    this.#maxRequests = maxRequests;
    this.#values = values ?? new Map([["FCGI_MPXS_CONNS", maxRequests > 1 ? "1" : "0"]]);
    this.#limits = limits;
    this.#paramsDecoder = paramsDecoder ?? new ParamsDecoder(limits);
  }

  /** Requests that have begun and are not finished. */
  get activeRequests(): number {
    return this.#requests.size;
  }

  /** The oldest request whose variables are incomplete. */
  get oldestOpening(): BegunRequest | null {
    if (this.#openings === 0) return null;
    for (const request of this.#requests.values()) if (request.params !== null) return request;
    return null;
  }

  /**
   * Takes one chunk and returns what it means, in order.
   *
   * @throws FastcgiProtocolError `GW_FCGI_PROTOCOL`: close the connection; every request on it is lost (R-F7)
   */
  feed(chunk: Uint8Array): ApplicationEvent[] {
    const events: ApplicationEvent[] = [];
    for (const part of this.#decoder.feed(chunk)) this.#take(part, events);
    if (this.#decoder.failure !== null) throw this.#decoder.failure;
    return events;
  }

  /** The request was ended; its id is free again, and what still comes for it is ignored (R-F6). */
  finish(id: number): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    if (request.params !== null) this.#openings--;
    this.#requests.delete(id);
  }

  #take(part: RecordPart, events: ApplicationEvent[]): void {
    if (part.requestId === NULL_REQUEST_ID) return this.#takeManagement(part, events);
    if (part.type === RecordType.beginRequest) return this.#begin(part, events);
    const request = this.#requests.get(part.requestId);
    if (request === undefined) return; // not in use: ignored (§3.3)
    switch (part.type) {
      case RecordType.params:
        return this.#takeParams(part, request, events);
      case RecordType.stdin:
        return this.#takeInput(part, request, events);
      case RecordType.data:
        return this.#takeData(part, request, events);
      case RecordType.abortRequest:
        if (part.isLast) this.#abort(part.requestId, request, events);
    }
  }

  /** Before its variables are complete nobody but us knows of the request, so it is ended here. */
  #abort(id: number, { params, keepConnection }: ActiveRequest, events: ApplicationEvent[]): void {
    if (params === null) events.push({ kind: "abort", id });
    else {
      this.finish(id);
      refuse(id, "complete", keepConnection, events, ABORTED_STATUS);
    }
  }

  #takeManagement({ type, content, isFirst, isLast }: RecordPart, events: ApplicationEvent[]): void {
    this.#control.push(content, isFirst);
    if (!isLast) return;
    if (type === RecordType.getValues) {
      const asked = this.#paramsDecoder.decode(this.#control.bytes).keys();
      events.push({ kind: "reply", bytes: writeGetValuesResult(asked, this.#values) });
    } else if (type >= FIRST_UNKNOWN_TYPE || type === 0) events.push({ kind: "reply", bytes: writeUnknownType(type) });
    else if (type === RecordType.beginRequest) {
      throw new FastcgiProtocolError("GW_FCGI_PROTOCOL", "FCGI_BEGIN_REQUEST with the id 0 of management records");
    }
  }

  #begin({ requestId: id, content, isFirst, isLast }: RecordPart, events: ApplicationEvent[]): void {
    if (this.#requests.has(id)) {
      throw new FastcgiProtocolError("GW_FCGI_PROTOCOL", `FCGI_BEGIN_REQUEST for id ${id}, which is in use`);
    }
    this.#control.push(content, isFirst);
    if (!isLast) return;
    const { role, keepConnection } = parseBeginRequest(this.#control.bytes);
    if (role === null || !this.#roles.includes(role)) return refuse(id, "unknownRole", keepConnection, events);
    if (this.#requests.size >= this.#maxRequests) {
      return refuse(id, this.#maxRequests === 1 ? "cannotMultiplex" : "overloaded", keepConnection, events);
    }
    const params = new ParamsBuffer(this.#limits);
    this.#requests.set(id, { id, role, keepConnection, params, isInputOpen: true, isDataOpen: role === "filter" });
    this.#openings++;
  }

  #takeParams(
    { requestId: id, content, isFirst, isLast }: RecordPart,
    request: ActiveRequest,
    events: ApplicationEvent[],
  ): void {
    const { params, role, keepConnection } = request;
    if (params === null) return; // the stream has ended; nothing can be added
    try {
      if (content.length > 0) return params.push(content);
      if (!(isFirst && isLast)) return;
      this.#endParams(request);
      events.push({ kind: "request", id, role, keepConnection, params: this.#paramsDecoder.decode(params.take()) });
    } catch (error) {
      this.#endParams(request);
      request.isInputOpen = false;
      events.push({ kind: "invalid", id, keepConnection, error: error as FastcgiProtocolError });
    }
  }

  #endParams(request: ActiveRequest): void {
    if (request.params !== null) this.#openings--;
    request.params = null;
  }

  #takeInput(
    { requestId: id, content, isFirst, isLast }: RecordPart,
    request: ActiveRequest,
    events: ApplicationEvent[],
  ): void {
    if (request.params !== null) {
      throw new FastcgiProtocolError(
        "GW_FCGI_PROTOCOL",
        `FCGI_STDIN of request ${id} before the end of its FCGI_PARAMS`,
      );
    }
    if (!request.isInputOpen) return;
    if (content.length > 0) events.push({ kind: "input", id, bytes: content });
    else if (isFirst && isLast) {
      request.isInputOpen = false;
      events.push({ kind: "inputEnd", id });
    }
  }

  #takeData(
    { requestId: id, content, isFirst, isLast }: RecordPart,
    request: ActiveRequest,
    events: ApplicationEvent[],
  ): void {
    if (!request.isDataOpen || request.params !== null) return; // DATA for a responder is ignored (R-F6)
    if (content.length > 0) events.push({ kind: "data", id, bytes: content });
    else if (isFirst && isLast) {
      request.isDataOpen = false;
      events.push({ kind: "dataEnd", id });
    }
  }
}

function refuse(
  id: number,
  status: ProtocolStatus,
  keepConnection: boolean,
  events: ApplicationEvent[],
  appStatus = 0,
): void {
  events.push({ kind: "reply", bytes: writeEndRequest(id, appStatus, status) });
  if (!keepConnection) events.push({ kind: "close" });
}
