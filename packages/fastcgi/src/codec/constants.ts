// Numbers of the protocol, under the specification's names (FastCGI 1.0 §8).

/** Protocol version of every record. */
export const FCGI_VERSION_1 = 1;

/** Length of a record's header, bytes (§3.3). */
export const HEADER_BYTES = 8;

/** Longest content of one record, bytes (§3.3). */
export const MAX_CONTENT_BYTES = 65_535;

/** The id of management records (§3.3). */
export const NULL_REQUEST_ID = 0;

/** Record types (§8). */
export const RecordType = {
  beginRequest: 1,
  abortRequest: 2,
  endRequest: 3,
  params: 4,
  stdin: 5,
  stdout: 6,
  stderr: 7,
  data: 8,
  getValues: 9,
  getValuesResult: 10,
  unknownType: 11,
} as const;

/** Bit of FCGI_BEGIN_REQUEST's flags: the application must not close the connection (§5.1). */
export const FCGI_KEEP_CONN = 1;

/** Roles by their number (§6). */
export const ROLES = { 1: "responder", 2: "authorizer", 3: "filter" } as const;

/** What a web server asks an application to be (§6). */
export type Role = "responder" | "authorizer" | "filter";

/** The number of a role. */
export const ROLE_NUMBERS: Readonly<Record<Role, number>> = { responder: 1, authorizer: 2, filter: 3 };

/** How a request ended, from the protocol's point of view (§5.5). */
export type ProtocolStatus = "complete" | "cannotMultiplex" | "overloaded" | "unknownRole";

/** Protocol statuses in the order of their numbers. */
export const PROTOCOL_STATUSES: readonly ProtocolStatus[] = [
  "complete",
  "cannotMultiplex",
  "overloaded",
  "unknownRole",
];
