// The answer for an open file: validators, conditions, ranges, codings.
import { encodeText } from "../bytes/byte-string.ts";
import { type ByteRange, selectRanges, writeContentRange } from "../headers/byte-ranges.ts";
import { writeHttpDate } from "../headers/http-date.ts";
import { evaluatePreconditions, rangeApplies, type Validators } from "../headers/preconditions.ts";
import { reasonPhrase } from "../headers/status.ts";
import { HeaderList } from "../model/headers.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { type BodyPart, multipart, partLength, readParts, SMALL_BYTES, streamParts } from "./file-body.ts";
import type { OpenFile } from "./open-file.ts";

/** How a file is sent. */
export interface FileFacts {
  /** Content-Type of the file itself. */
  readonly type: string;
  /** Coding of what was opened, a precompressed file; `null`: none. */
  readonly coding: string | null;
  /** Whether another request could get another coding. */
  readonly varies: boolean;
  readonly etag: "strong" | "weak" | false;
  /** Value of Cache-Control; `null`: none. */
  readonly cacheControl: string | null;
  /** Fields of whoever sends the file; those of ours that describe the bytes stay. */
  readonly headers: HeaderList;
  readonly maxRanges: number;
}

// What only we can know of the bytes.
const OURS: ReadonlySet<string> = new Set([
  "accept-ranges",
  "content-encoding",
  "content-length",
  "content-range",
  "etag",
  "last-modified",
  "transfer-encoding",
]);

/** The answer to GET or HEAD. Owns the file: it is closed now, at the end of the body, or by the answer's `close`. */
export async function answerFile(request: GatewayRequest, file: OpenFile, facts: FileFacts): Promise<HttpResponse> {
  try {
    const validators = validatorsOf(file, facts);
    const common = commonFields(validators, facts);
    const verdict = evaluatePreconditions(request.method, request.headers, validators);
    if (verdict !== "proceed") {
      file.close();
      return verdict === "failed" ? plain(412, common) : bare(304, common);
    }
    return await answerBytes(request, file, facts, validators, common);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function answerBytes(
  request: GatewayRequest,
  file: OpenFile,
  facts: FileFacts,
  validators: Validators,
  common: readonly string[],
): Promise<HttpResponse> {
  const fields = [...common, "Accept-Ranges", "bytes"];
  if (facts.coding !== null) fields.push("Content-Encoding", facts.coding);
  const ranges = rangesOf(request, file.size, facts, validators);
  if (ranges === "unsatisfiable") {
    file.close();
    return plain(416, [...common, "Content-Range", writeContentRange(null, file.size)]);
  }
  if (ranges === "whole") {
    const parts = file.size === 0 ? [] : [{ first: 0, last: file.size - 1 }];
    return send(request, file, 200, [...fields, "Content-Type", facts.type], parts);
  }
  const [range] = ranges as readonly [ByteRange, ...ByteRange[]];
  if (ranges.length === 1) {
    const contentRange = writeContentRange(range, file.size);
    return send(request, file, 206, [...fields, "Content-Type", facts.type, "Content-Range", contentRange], [range]);
  }
  const boundary = crypto.randomUUID();
  const type = `multipart/byteranges; boundary=${boundary}`;
  const parts = multipart(ranges, file.size, facts.type, boundary);
  return send(request, file, 206, [...fields, "Content-Type", type], parts);
}

/** Only GET has ranges (RFC 9110 §14.2). */
function rangesOf(
  { method, headers }: GatewayRequest,
  size: number,
  { maxRanges }: FileFacts,
  validators: Validators,
): ReturnType<typeof selectRanges> {
  const field = method === "GET" ? headers.get("range") : null;
  if (field === null || !rangeApplies(headers, validators, Date.now())) return "whole";
  return selectRanges(field, size, maxRanges);
}

async function send(
  { method }: GatewayRequest,
  file: OpenFile,
  status: number,
  fields: readonly string[],
  parts: readonly BodyPart[],
): Promise<HttpResponse> {
  const length = parts.reduce((sum, part) => sum + partLength(part), 0);
  const headers = HeaderList.fromWire([...fields, "Content-Length", String(length)]);
  if (method === "HEAD" || length === 0) {
    file.close();
    return { kind: "response", status, headers, body: null };
  }
  if (length <= SMALL_BYTES) return { kind: "response", status, headers, body: await readParts(file, parts, length) };
  return { kind: "response", status, headers, body: streamParts(file, parts), close: () => file.close() };
}

function validatorsOf(file: OpenFile, { etag, coding }: FileFacts): Validators {
  if (etag === false) return { etag: null, lastModifiedMs: file.mtimeMs };
  // Size and microseconds of the change; each coding is a representation of its own (RFC 9110 §8.8.3.3).
  const mark = `${file.size.toString(36)}-${Math.floor(file.mtimeMs * 1_000).toString(36)}`;
  const tag = `"${coding === null ? mark : `${mark}-${coding}`}"`;
  return { etag: etag === "weak" ? `W/${tag}` : tag, lastModifiedMs: file.mtimeMs };
}

/** What a 304 has too (RFC 9110 §15.4.5). */
function commonFields({ etag, lastModifiedMs }: Validators, facts: FileFacts): string[] {
  const fields: string[] = [];
  if (etag !== null) fields.push("ETag", etag);
  // Never later than now (§8.8.2.1).
  if (lastModifiedMs !== null) fields.push("Last-Modified", writeHttpDate(Math.min(lastModifiedMs, Date.now())));
  if (facts.cacheControl !== null) fields.push("Cache-Control", facts.cacheControl);
  if (facts.varies) fields.push("Vary", "Accept-Encoding");
  for (const [name, value] of facts.headers) {
    const lower = name.toLowerCase();
    if (!OURS.has(lower) && lower !== "content-type") fields.push(name, value);
  }
  return fields;
}

function bare(status: number, fields: readonly string[]): HttpResponse {
  return { kind: "response", status, headers: HeaderList.fromWire(fields), body: null };
}

/** An answer that says its status in words. */
export function plain(status: number, fields: readonly string[] = []): HttpResponse {
  const body = encodeText(`${status} ${reasonPhrase(status)}\n`);
  const own = ["Content-Type", "text/plain; charset=utf-8", "Content-Length", String(body.length)];
  return { kind: "response", status, headers: HeaderList.fromWire([...fields, ...own]), body };
}
