// The head of an http.response.start event: checked once, and remembered while the app repeats it.
import { checkResponseHead, HeaderList } from "@gw/core";
import { eventError } from "./errors.ts";
import { areLines, readPairs } from "./header-pairs.ts";
import type { HeaderPair } from "./scopes.ts";

/** A checked head. */
export interface Head {
  readonly status: number;
  readonly headers: HeaderList;
  /** Content-Length in bytes; `null` if the app gave none. */
  readonly length: number | null;
}

/** What begins a response, of either protocol. */
export interface StartEvent {
  readonly type: string;
  readonly status: number;
  readonly headers?: Iterable<HeaderPair>;
  readonly trailers?: boolean;
}

interface Remembered {
  readonly flat: readonly string[];
  readonly head: Head;
}

/** Heads that one app repeats: few. */
const MAX_REMEMBERED = 4;
/** Longer heads are not kept: they rarely repeat. */
const MAX_REMEMBERED_LINES = 24;

/**
 * Reads heads for one app. An app mostly repeats a few heads; those are compared byte by byte, not decoded and
 * checked again, and keep one `HeaderList`, so that carriers need not check them again either.
 */
export class HeadReader {
  readonly #remembered: Remembered[] = [];
  #next = 0;

  /**
   * The head that an event begins. Transfer-Encoding is left out: "the server must ignore it"; and so is keep-alive, which
   * libraries for server-sent events like to ask for. Whatever else is hop-by-hop is refused.
   *
   * @throws GatewayError `GW_ASGI_EVENT` for a malformed event, `GW_RESPONSE_HEAD` for a head that cannot be sent
   */
  read(event: StartEvent): Head {
    const { headers = NO_PAIRS } = event;
    for (const one of this.#remembered) {
      if (one.head.status === event.status && areLines(one.flat, headers)) return one.head;
    }
    const flat = readPairs(headers, event.type);
    const head = readHead(event, flat);
    if (flat.length <= MAX_REMEMBERED_LINES * 2) {
      this.#remembered[this.#next] = { flat, head };
      this.#next = (this.#next + 1) % MAX_REMEMBERED;
    }
    return head;
  }
}

const NO_PAIRS: readonly HeaderPair[] = [];

function readHead({ type, status, trailers }: StartEvent, flat: readonly string[]): Head {
  if (!Number.isInteger(status)) throw eventError(type, `status must be an integer, found ${typeof status}`);
  const given = HeaderList.fromWire(flat).without("transfer-encoding", "keep-alive");
  const headers = given.get("connection")?.toLowerCase() === "keep-alive" ? given.without("connection") : given;
  const noTrailers = { kind: "response", status, headers, body: null } as const;
  checkResponseHead(trailers === true ? { ...noTrailers, trailers: () => null } : noTrailers);
  const length = headers.get("content-length");
  return { status, headers, length: length === null ? null : Number(length) };
}
