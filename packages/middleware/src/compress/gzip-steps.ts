// gzip chunk by chunk without waiting, for bodies of sync apps (RFC 1952, RFC 1951 §2).
import { constants, crc32, deflateRawSync } from "node:zlib";
import type { ChunkTransform } from "@gw/core";

const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
const LAST_BLOCK = Uint8Array.of(0x03, 0x00); // an empty final block

/**
 * Steps that code each chunk as deflate blocks of its own: they end on a byte (a sync flush), so they can be joined, and
 * the client can read each chunk at once. Matches do not reach into earlier chunks.
 */
export function gzipSteps(): ChunkTransform {
  let sum = 0;
  let length = 0;
  const begin = (): readonly Uint8Array[] => (length === 0 ? [HEADER] : []);
  return {
    chunk(bytes) {
      if (bytes.length === 0) return null;
      const coded = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
      const joined = Buffer.concat([...begin(), coded]);
      sum = crc32(bytes, sum);
      length += bytes.length;
      return joined;
    },
    end() {
      const trailer = Buffer.alloc(8);
      trailer.writeUInt32LE(sum, 0);
      trailer.writeUInt32LE(length % 2 ** 32, 4);
      return Buffer.concat([...begin(), LAST_BLOCK, trailer]);
    },
  };
}
