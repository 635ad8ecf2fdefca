// @gw/fastcgi/codec: FastCGI 1.0 without I/O. Named exports only.
export { ApplicationConnection, type ApplicationEvent, type ApplicationOptions } from "./application.ts";
export {
  FCGI_KEEP_CONN,
  FCGI_VERSION_1,
  HEADER_BYTES,
  MAX_CONTENT_BYTES,
  NULL_REQUEST_ID,
  type ProtocolStatus,
  RecordType,
  type Role,
} from "./constants.ts";
export {
  type BeginRequest,
  type EndRequest,
  parseBeginRequest,
  parseEndRequest,
  writeAbortRequest,
  writeBeginRequest,
  writeEndRequest,
  writeGetValues,
  writeGetValuesResult,
  writeUnknownType,
} from "./control.ts";
export { FastcgiProtocolError, type FastcgiProtocolErrorCode } from "./error.ts";
export { ParamsBuffer, ParamsDecoder, type ParamsLimits, writeParams } from "./params.ts";
export { RecordDecoder, type RecordPart, recordHeader, streamRecords, writeHeader, writeRecord } from "./record.ts";
export { RequesterConnection, type RequesterEvent } from "./requester.ts";
