// The fields of a form, read so that the app can read it again.
import { andThen, bufferBody, type GatewayRequest, type MaybePromise, readForm } from "@gw/core";

/** A request whose form was read. */
export interface BufferedForm {
  /** The request to go on with: its body is there for the app as well. */
  readonly request: GatewayRequest;
  readonly form: URLSearchParams;
}

const FORM = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/** Largest form that layers look into, in bytes. */
const MAX_FORM_BYTES = 1_048_576;

/**
 * The fields of a urlencoded form; `null` for any other body, and for one that is longer than 1 MiB or says no length:
 * those are not held in memory to look for one field.
 */
export function bufferedForm(request: GatewayRequest): MaybePromise<BufferedForm | null> {
  const { headers, body } = request;
  if (!FORM.test(headers.get("content-type") ?? "") || body.length === null || body.length > MAX_FORM_BYTES)
    return null;
  return andThen(bufferBody(request), (buffered) =>
    andThen(readForm(buffered), (form) => ({ request: buffered, form })),
  );
}
