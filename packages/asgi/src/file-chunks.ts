// The bytes of files that an app names: http.response.pathsend and http.response.zerocopysend.
//
// Node has no sendfile(2); the bytes go through this process, at the client's pace.
import { createReadStream } from "node:fs";
import { isAbsolute } from "node:path";
import { eventError } from "./errors.ts";
import type { HttpResponsePathsendEvent, HttpResponseZerocopysendEvent } from "./events.ts";

const CHUNK_BYTES = 65_536;

/**
 * A whole file.
 *
 * @throws GatewayError `GW_ASGI_EVENT` unless the path is absolute; while reading, what the file system throws
 */
export function fileChunks({ type, path }: HttpResponsePathsendEvent): AsyncIterable<Uint8Array> {
  if (typeof path !== "string" || !isAbsolute(path)) throw eventError(type, "path must be absolute");
  return createReadStream(path, { highWaterMark: CHUNK_BYTES });
}

/** Bytes of an open file; its descriptor stays open. */
export function descriptorChunks({
  type,
  file,
  offset,
  count,
}: HttpResponseZerocopysendEvent): AsyncIterable<Uint8Array> {
  const fd = typeof file === "number" ? file : file?.fd;
  if (!Number.isInteger(fd) || fd < 0) throw eventError(type, "file must be a descriptor or a FileHandle");
  if (!isCount(offset) || !isCount(count)) throw eventError(type, "offset and count must be integers from 0 on");
  if (count === 0) return noChunks();
  return createReadStream("", { fd, autoClose: false, highWaterMark: CHUNK_BYTES, ...rangeOf(offset, count) });
}

function isCount(value: number | undefined): boolean {
  return value === undefined || (Number.isInteger(value) && value >= 0);
}

/** Without `start` Node reads from where the file stands; `end` counts from there only together with `start`. */
function rangeOf(offset: number | undefined, count: number | undefined): { start?: number; end?: number } {
  if (count === undefined) return offset === undefined ? {} : { start: offset };
  const start = offset ?? 0;
  return { ...(offset !== undefined && { start }), end: start + count - 1 };
}

async function* noChunks(): AsyncGenerator<Uint8Array> {}
