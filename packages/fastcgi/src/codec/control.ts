// The bodies of begin, end, get-values and unknown-type records (FastCGI 1.0 §4, §5).
import {
  FCGI_KEEP_CONN,
  NULL_REQUEST_ID,
  PROTOCOL_STATUSES,
  type ProtocolStatus,
  RecordType,
  ROLE_NUMBERS,
  ROLES,
  type Role,
} from "./constants.ts";
import { FastcgiProtocolError } from "./error.ts";
import { writeParams } from "./params.ts";
import { writeRecord } from "./record.ts";

/** Length of the bodies of FCGI_BEGIN_REQUEST, FCGI_END_REQUEST and FCGI_UNKNOWN_TYPE. */
export const CONTROL_BODY_BYTES = 8;

/** The body of FCGI_BEGIN_REQUEST (§5.1). */
export interface BeginRequest {
  /** `null`: a role that does not exist. */
  readonly role: Role | null;
  readonly keepConnection: boolean;
}

/**
 * Reads the body of FCGI_BEGIN_REQUEST.
 *
 * @throws FastcgiProtocolError `GW_FCGI_PROTOCOL` if it is too short
 */
export function parseBeginRequest(body: Uint8Array): BeginRequest {
  requireBody("FCGI_BEGIN_REQUEST", body);
  const role = ((body[0] as number) << 8) | (body[1] as number);
  return {
    role: (ROLES as Readonly<Record<number, Role>>)[role] ?? null,
    keepConnection: ((body[2] as number) & FCGI_KEEP_CONN) !== 0,
  };
}

/** Writes FCGI_BEGIN_REQUEST. */
export function writeBeginRequest(requestId: number, role: Role, keepConnection: boolean): Uint8Array {
  const number = ROLE_NUMBERS[role];
  const body = Uint8Array.of(number >> 8, number & 255, keepConnection ? FCGI_KEEP_CONN : 0, 0, 0, 0, 0, 0);
  return writeRecord(RecordType.beginRequest, requestId, body);
}

/** The body of FCGI_END_REQUEST (§5.5). */
export interface EndRequest {
  /** Exit status of a program; meaningless unless complete. */
  readonly appStatus: number;
  /** `null`: a status that does not exist. */
  readonly protocolStatus: ProtocolStatus | null;
}

/**
 * Reads the body of FCGI_END_REQUEST.
 *
 * @throws FastcgiProtocolError `GW_FCGI_PROTOCOL` if it is too short
 */
export function parseEndRequest(body: Uint8Array): EndRequest {
  requireBody("FCGI_END_REQUEST", body);
  const view = new DataView(body.buffer, body.byteOffset, CONTROL_BODY_BYTES);
  return { appStatus: view.getUint32(0), protocolStatus: PROTOCOL_STATUSES[body[4] as number] ?? null };
}

/** Writes FCGI_END_REQUEST. */
export function writeEndRequest(requestId: number, appStatus: number, protocolStatus: ProtocolStatus): Uint8Array {
  const body = new Uint8Array(CONTROL_BODY_BYTES);
  new DataView(body.buffer).setUint32(0, appStatus);
  body[4] = PROTOCOL_STATUSES.indexOf(protocolStatus);
  return writeRecord(RecordType.endRequest, requestId, body);
}

/** Writes FCGI_ABORT_REQUEST (§5.4). */
export function writeAbortRequest(requestId: number): Uint8Array {
  return writeRecord(RecordType.abortRequest, requestId, new Uint8Array(0));
}

/** Writes FCGI_UNKNOWN_TYPE, the answer to a management record nobody knows (§4.2). */
export function writeUnknownType(type: number): Uint8Array {
  return writeRecord(RecordType.unknownType, NULL_REQUEST_ID, Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0));
}

/** Writes FCGI_GET_VALUES: names with empty values (§4.1). */
export function writeGetValues(names: readonly string[]): Uint8Array {
  return writeRecord(RecordType.getValues, NULL_REQUEST_ID, writeParams(names.map((name) => [name, ""])));
}

/** Writes FCGI_GET_VALUES_RESULT: those of the asked names that are known (§4.1). */
export function writeGetValuesResult(asked: Iterable<string>, known: ReadonlyMap<string, string>): Uint8Array {
  const pairs: [string, string][] = [];
  for (const name of asked) {
    const value = known.get(name);
    if (value !== undefined) pairs.push([name, value]);
  }
  return writeRecord(RecordType.getValuesResult, NULL_REQUEST_ID, writeParams(pairs));
}

function requireBody(name: string, body: Uint8Array): void {
  if (body.length >= CONTROL_BODY_BYTES) return;
  throw new FastcgiProtocolError(
    "GW_FCGI_PROTOCOL",
    `expected ${CONTROL_BODY_BYTES} bytes of ${name}, found ${body.length}`,
  );
}
