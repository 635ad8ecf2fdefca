// Request bodies that come compressed, for apps that do not know of it (R-H16).
import { pipeline, Readable } from "node:stream";
import * as zlib from "node:zlib";
import {
  type Answer,
  GatewayError,
  type GatewayRequest,
  HeaderList,
  incomingBody,
  layer,
  type Middleware,
  type RequestBody,
} from "@gw/core";

/**
 * Inflates request bodies in gzip, deflate, br and (where the runtime has it) zstd as they are read.
 *
 * `exchange.maxBodyBytes` counts inflated bytes. A coding that nobody knows, and several, get 415 with what is known;
 * bytes that are not what their coding says fail with `GW_DECOMPRESS` (400). The app sees neither `Content-Encoding` nor
 * `Content-Length`.
 */
export function decompress(): Middleware {
  return layer({
    name: "decompress",
    onRequest(request): GatewayRequest | Answer {
      const name = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
      if (name === "" || name === "identity" || request.body.length === 0) return request;
      const inflater = inflaters.get(name === "x-gzip" ? "gzip" : name);
      if (inflater === undefined) throw unknownCoding(name);
      const headers = request.headers.without("content-encoding", "content-length");
      return { ...request, headers, body: inflatedBody(request, inflater) };
    },
  });
}

interface Inflater {
  readonly stream: () => NodeJS.ReadWriteStream;
  readonly whole: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
}

const inflaters: ReadonlyMap<string, Inflater> = new Map<string, Inflater>([
  ["gzip", { stream: () => zlib.createGunzip(), whole: zlib.gunzipSync }],
  ["deflate", { stream: () => zlib.createInflate(), whole: zlib.inflateSync }],
  ["br", { stream: () => zlib.createBrotliDecompress(), whole: zlib.brotliDecompressSync }],
  ...zstdInflater(),
]);

function zstdInflater(): [string, Inflater][] {
  if (!("zstdDecompressSync" in zlib)) return [];
  const { createZstdDecompress, zstdDecompressSync } = zlib as unknown as {
    createZstdDecompress(): NodeJS.ReadWriteStream;
    zstdDecompressSync: Inflater["whole"];
  };
  return [["zstd", { stream: () => createZstdDecompress(), whole: zstdDecompressSync }]];
}

/** The body inflated, with the limit on what comes out. One that can be read without waiting stays so. */
function inflatedBody({ body, exchange }: GatewayRequest, inflater: Inflater): RequestBody {
  const { readSync } = body;
  return incomingBody({
    length: null,
    exchange,
    open: () => inflated(body, inflater),
    ...(readSync && { readSync: syncReader((maxBytes) => readSync.call(body, maxBytes), inflater, exchange) }),
    ...(body.trailers && { trailers: () => (body.trailers as NonNullable<RequestBody["trailers"]>)() }),
  });
}

async function* inflated(body: RequestBody, inflater: Inflater): AsyncGenerator<Uint8Array> {
  const stream = inflater.stream();
  let sourceError: unknown = null;
  const source = Readable.from(
    (async function* () {
      try {
        yield* body;
      } catch (error) {
        sourceError = error;
        throw error;
      }
    })(),
    { objectMode: false },
  );
  // Errors of the source end the inflating one, and stopping early stops the source; both show in the iteration.
  const out = pipeline(source, stream, () => {}) as unknown as AsyncIterable<Uint8Array>;
  try {
    yield* out;
  } catch (error) {
    throw sourceError ?? malformed(error);
  }
}

function syncReader(
  read: (maxBytes: number) => Uint8Array,
  inflater: Inflater,
  exchange: { readonly maxBodyBytes: number },
): (maxBytes: number) => Uint8Array {
  let rest: Uint8Array | null = null;
  return (maxBytes) => {
    rest ??= inflateAll(read, inflater, exchange.maxBodyBytes);
    const chunk = rest.subarray(0, Math.max(1, maxBytes));
    rest = rest.subarray(chunk.length);
    return chunk;
  };
}

function inflateAll(read: (maxBytes: number) => Uint8Array, inflater: Inflater, maxBodyBytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let part = read(65_536); part.length > 0; part = read(65_536)) parts.push(part.slice());
  try {
    const maxOutputLength = Math.min(Math.max(1, maxBodyBytes), MAX_LENGTH);
    return inflater.whole(Buffer.concat(parts), { maxOutputLength });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_BUFFER_TOO_LARGE") throw malformed(error);
    throw new GatewayError("GW_BODY_TOO_LARGE", 413, `the inflated request body is larger than ${maxBodyBytes} bytes`);
  }
}

const MAX_LENGTH = 2 ** 31 - 1;

function malformed(cause: unknown): GatewayError {
  return new GatewayError("GW_DECOMPRESS", 400, "the request body is not in the coding that Content-Encoding names", {
    cause,
  });
}

function unknownCoding(name: string): GatewayError {
  const known = [...inflaters.keys()].join(", ");
  return new GatewayError(
    "GW_DECOMPRESS",
    415,
    `expected one coding of ${known}, found ${JSON.stringify(name.slice(0, 80))}`,
    {
      headers: HeaderList.from({ "Accept-Encoding": known }), // RFC 9110 §12.5.3
    },
  );
}
