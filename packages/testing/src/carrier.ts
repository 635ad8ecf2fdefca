// What a carrier is to a test: something that opens an app and lets a client talk to it.
import type { AppSource, HeaderList } from "@gw/core";

/** What a carrier can do beyond one request and one whole answer. */
export type Ability =
  /** The app runs in the test's process, so the test can look at what it did. */
  | "same-process"
  /** A request body without a length. */
  | "stream-up"
  /** Chunks of an answer arrive before the answer ends. */
  | "stream-down"
  /** A client that leaves is noticed by the app. */
  | "abort"
  /** An answer that breaks off looks different from a whole one. */
  | "cut-visible"
  /** Interim 103 heads (RFC 8297). */
  | "early-hints"
  /** Trailer sections (RFC 9110 §6.5). */
  | "trailers";

/** An app, and the file that exports it for carriers that start another process. */
export interface CarriedApp {
  app: AppSource;
  /** Absolute path of the module and the name of the export, `/…/case.ts:app`. */
  module: string;
  /** The app breaks rules on purpose: not under lint. @default false */
  breaksRules?: boolean;
}

/** A request as a client sends it. */
export interface ClientRequest {
  /** @default "GET" */
  method?: string;
  /** Request-target, ASCII, as it goes over the wire. @default "/" */
  target?: string;
  /** Fields besides `Host`, byte strings. */
  headers?: readonly (readonly [name: string, value: string])[];
  /** Bytes are sent with their length; a stream without. */
  body?: Uint8Array | AsyncIterable<Uint8Array>;
}

/** An answer whose body is still on its way. */
export interface ClientAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** Heads of the 103s that came before. */
  readonly earlyHints: readonly HeaderList[];
  /** Chunks as they arrive. Throws when the answer breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The trailer section; `null` if there was none. Ask after the end. */
  trailers(): HeaderList | null;
  /** Leaves without reading the rest. */
  abort(): void;
}

/** An app that a carrier has opened. */
export interface OpenApp {
  /** Sends a request; settles with the head of its answer. */
  send(request: ClientRequest): Promise<ClientAnswer>;
  /** Closes the carrier and stops the app. */
  close(): Promise<void>;
}

/** A way to reach an app. */
export interface Carrier {
  /** `"HTTP/1.1"`, `"CGI program"`. */
  readonly name: string;
  readonly abilities: ReadonlySet<Ability>;
  open(carried: CarriedApp): Promise<OpenApp>;
}

/** An answer read to its end. */
export interface CollectedAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly earlyHints: readonly HeaderList[];
  /** What arrived, also of an answer that broke off. */
  readonly bytes: Uint8Array;
  /** Whether the body broke off. */
  readonly isCut: boolean;
  readonly trailers: HeaderList | null;
  /** The body as UTF-8. */
  text(): string;
}

/** Reads an answer to its end. Never throws for an answer that breaks off: `isCut` says so. */
export async function collect(answer: ClientAnswer): Promise<CollectedAnswer> {
  const chunks: Uint8Array[] = [];
  let isCut = false;
  try {
    for await (const chunk of answer.body) chunks.push(chunk);
  } catch {
    isCut = true;
  }
  const bytes = Buffer.concat(chunks);
  const { status, headers, earlyHints } = answer;
  return {
    status,
    headers,
    earlyHints,
    bytes,
    isCut,
    trailers: isCut ? null : answer.trailers(),
    text: () => bytes.toString(),
  };
}
