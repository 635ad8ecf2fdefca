// The client's half of permessage-deflate (RFC 7692): each message goes on where the last one ended.
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
/** Both windows at their largest: the smaller ones are within. */
const WINDOW_BYTES = 32_768;

/** What was agreed on. */
export interface Agreement {
  readonly clientTakesOver: boolean;
  readonly serverTakesOver: boolean;
  readonly clientWindowBits: number;
  readonly serverWindowBits: number;
}

/** Reads the server's answer to an offer. @throws if it is no permessage-deflate */
export function readAgreement(extensions: string | null): Agreement {
  const [name, ...parameters] = (extensions ?? "").split(";").map((one) => one.trim());
  if (name !== "permessage-deflate") throw new Error(`agreed on ${extensions}`);
  const bits = (key: string): number => {
    const found = parameters.find((one) => one.startsWith(`${key}=`));
    return found === undefined ? 15 : Number(found.slice(key.length + 1));
  };
  return {
    clientTakesOver: !parameters.includes("client_no_context_takeover"),
    serverTakesOver: !parameters.includes("server_no_context_takeover"),
    clientWindowBits: bits("client_max_window_bits"),
    serverWindowBits: bits("server_max_window_bits"),
  };
}

/** Compresses messages as a client. A message before is the dictionary of the next one: that is what taking over means. */
export class Compressor {
  readonly #agreement: Agreement;
  #window: Buffer = Buffer.alloc(0);

  constructor(agreement: Agreement) {
    this.#agreement = agreement;
  }

  compress(message: Uint8Array): Buffer {
    const { clientTakesOver, clientWindowBits } = this.#agreement;
    const windowBytes = 2 ** clientWindowBits;
    const dictionary = this.#window.subarray(Math.max(0, this.#window.length - windowBytes));
    const options = { windowBits: clientWindowBits, finishFlush: constants.Z_SYNC_FLUSH };
    const bytes = deflateRawSync(message, dictionary.length === 0 ? options : { ...options, dictionary });
    if (clientTakesOver) this.#window = last(Buffer.concat([this.#window, message]), WINDOW_BYTES);
    return bytes.subarray(0, bytes.length - TAIL.length);
  }
}

/** Reads compressed messages of a server. Its window must be as small as agreed. */
export class Decompressor {
  readonly #agreement: Agreement;
  #window: Buffer = Buffer.alloc(0);

  constructor(agreement: Agreement) {
    this.#agreement = agreement;
  }

  decompress(bytes: Uint8Array): Buffer {
    const { serverTakesOver, serverWindowBits } = this.#agreement;
    const options = { windowBits: serverWindowBits, finishFlush: constants.Z_SYNC_FLUSH };
    const dictionary = last(this.#window, 2 ** serverWindowBits);
    const whole = Buffer.concat([bytes, TAIL]);
    const message = inflateRawSync(whole, dictionary.length === 0 ? options : { ...options, dictionary });
    if (serverTakesOver) this.#window = last(Buffer.concat([this.#window, message]), WINDOW_BYTES);
    return message;
  }
}

function last(bytes: Buffer, count: number): Buffer {
  return bytes.subarray(Math.max(0, bytes.length - count));
}
