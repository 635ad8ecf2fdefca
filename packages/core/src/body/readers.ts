// The whole body as text, JSON or form fields, with clear errors for what is not.
import { ByteQueue } from "../bytes/queue.ts";
import type { RequestBody } from "../model/body.ts";
import { GatewayError } from "../model/errors.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { RequestHead } from "../model/request.ts";
import { andThen } from "../pipeline/and-then.ts";
import { readAllSync, syncReaderOf } from "./buffer.ts";
import { tooLarge } from "./incoming.ts";

/** What the readers may be told. */
export interface ReadOptions {
  /** Most bytes to take; a larger body throws `GW_BODY_TOO_LARGE` (413). @default 1_048_576, and never more than `exchange.maxBodyBytes` */
  maxBytes?: number;
}

/** What `readJson` may be told. */
export interface ReadJsonOptions extends ReadOptions {
  /** Whether to read a body whose Content-Type is not a JSON type. @default false */
  anyType?: boolean;
}

const DEFAULT_MAX_BYTES = 1_048_576;

/** The whole body, joined. Comes at once where the body can be read synchronously. */
export function readBytes(
  request: RequestHead,
  { maxBytes = DEFAULT_MAX_BYTES }: ReadOptions = {},
): MaybePromise<Uint8Array> {
  const { body } = request;
  if (body.length !== null && body.length > maxBytes) throw tooLarge(maxBytes);
  const read = syncReaderOf(body);
  return read === null ? collect(body, maxBytes) : readAllSync(read, maxBytes);
}

/**
 * The body as text, in the charset its Content-Type names; UTF-8 if it names none.
 *
 * @throws GatewayError `GW_BODY_TOO_LARGE` (413), `GW_BODY_TYPE` (415) for an unknown charset, `GW_BODY_SYNTAX` (400) for bytes that are not in it.
 */
export function readText(request: RequestHead, options: ReadOptions = {}): MaybePromise<string> {
  const decoder = decoderFor(contentType(request).charset);
  return andThen(readBytes(request, options), (bytes) => decode(decoder, bytes));
}

/**
 * The body as a JSON value. It is unchecked input: test its shape.
 *
 * @throws GatewayError `GW_BODY_TYPE` (415) unless Content-Type is `application/json` or `…+json`, `GW_BODY_SYNTAX` (400), `GW_BODY_TOO_LARGE` (413).
 */
export function readJson(request: RequestHead, options: ReadJsonOptions = {}): MaybePromise<unknown> {
  const { type } = contentType(request);
  if (!options.anyType && !/^application\/(?:[^;]+\+)?json$/.test(type)) throw wrongType("application/json", type);
  // RFC 8259 §8.1: JSON is UTF-8, whatever a charset parameter says.
  return andThen(readBytes(request, options), (bytes) => {
    const json = decode(decoderFor("utf-8"), bytes);
    try {
      return JSON.parse(json) as unknown;
    } catch (error) {
      throw new GatewayError("GW_BODY_SYNTAX", 400, "the request body is not JSON", { cause: error });
    }
  });
}

/**
 * The fields of an `application/x-www-form-urlencoded` body, in order, repeats kept (WHATWG URL §5).
 *
 * @throws GatewayError `GW_BODY_TYPE` (415) for another type (the `formData` layer reads multipart), `GW_BODY_SYNTAX` (400), `GW_BODY_TOO_LARGE` (413).
 */
export function readForm(request: RequestHead, options: ReadOptions = {}): MaybePromise<URLSearchParams> {
  const { type } = contentType(request);
  if (type !== FORM_TYPE) throw wrongType(FORM_TYPE, type);
  return andThen(readBytes(request, options), (bytes) => new URLSearchParams(decode(decoderFor("utf-8"), bytes)));
}

const FORM_TYPE = "application/x-www-form-urlencoded";

async function collect(body: RequestBody, maxBytes: number): Promise<Uint8Array> {
  const held = new ByteQueue();
  for await (const chunk of body) {
    if (held.length + chunk.length > maxBytes) throw tooLarge(maxBytes);
    held.push(chunk);
  }
  return held.takeAll();
}

function contentType(request: RequestHead): { type: string; charset: string } {
  const value = request.headers.get("content-type") ?? "";
  const charset = /;\s*charset="?([^\s;"]+)"?/i.exec(value)?.[1] ?? "utf-8";
  return { type: (value.split(";", 1)[0] as string).trim().toLowerCase(), charset };
}

function decoderFor(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (error) {
    throw new GatewayError("GW_BODY_TYPE", 415, `unknown charset ${JSON.stringify(charset.slice(0, 40))}`, {
      cause: error,
    });
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new GatewayError("GW_BODY_SYNTAX", 400, `the request body is not ${decoder.encoding} text`, { cause: error });
  }
}

function wrongType(expected: string, found: string): GatewayError {
  return new GatewayError(
    "GW_BODY_TYPE",
    415,
    `expected a body of type ${expected}, found ${found === "" ? "no Content-Type" : JSON.stringify(found.slice(0, 80))}`,
  );
}
