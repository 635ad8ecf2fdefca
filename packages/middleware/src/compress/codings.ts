// Content codings that this runtime can make, whole and as a stream (RFC 9110 §8.4.1, RFC 7932, RFC 8878).
import * as zlib from "node:zlib";

/** A coding as `Content-Encoding` names it. */
export type Coding = "br" | "zstd" | "gzip";

/** How bytes are coded. */
export interface Coder {
  /** All at once, without waiting. */
  readonly whole: (bytes: Uint8Array) => Uint8Array;
  /** A stream, and what makes it give all it has. */
  readonly stream: () => zlib.Gzip | zlib.BrotliCompress;
  readonly flush: number;
}

/** The zstd functions, which Node has from 22.15 and 23.8 on. */
interface Zstd {
  zstdCompressSync(bytes: Uint8Array, options: object): Uint8Array;
  createZstdCompress(options: object): zlib.Gzip;
}

const LIKE_A_STREAM = { readableHighWaterMark: 2 ** 30 }; // read after each flush: it never fills
const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };
const gzip = { level: 6 };

/** The codings of this runtime, in our order of preference. */
export const coders: ReadonlyMap<Coding, Coder> = new Map<Coding, Coder>([
  [
    "br",
    {
      whole: (bytes) => zlib.brotliCompressSync(bytes, brotli),
      stream: () => zlib.createBrotliCompress({ ...brotli, ...LIKE_A_STREAM }),
      flush: zlib.constants.BROTLI_OPERATION_FLUSH,
    },
  ],
  ...zstdCoder(),
  [
    "gzip",
    {
      whole: (bytes) => zlib.gzipSync(bytes, gzip),
      stream: () => zlib.createGzip({ ...gzip, ...LIKE_A_STREAM }),
      flush: zlib.constants.Z_SYNC_FLUSH,
    },
  ],
]);

function zstdCoder(): [Coding, Coder][] {
  if (!("zstdCompressSync" in zlib)) return [];
  const { zstdCompressSync, createZstdCompress } = zlib as unknown as Zstd;
  const { ZSTD_e_flush: flush = 1 } = zlib.constants as { ZSTD_e_flush?: number };
  return [
    ["zstd", { whole: (bytes) => zstdCompressSync(bytes, {}), stream: () => createZstdCompress(LIKE_A_STREAM), flush }],
  ];
}
