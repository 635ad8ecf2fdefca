// Content-Length: one number or an error (RFC 9110 §8.6).
import { GatewayError } from "../model/errors.ts";
import type { HeaderList } from "../model/headers.ts";
import { trimBlanks } from "./syntax.ts";

/**
 * The length that the fields announce, in bytes; `null` if they announce none.
 *
 * Lines that repeat the same number count as one (RFC 9110 §8.6).
 *
 * @param status of the error: 400 for a request, 502 for a backend's answer
 * @throws GatewayError `GW_CONTENT_LENGTH` if it is no number, larger than 2^53 - 1, or if lines differ.
 */
export function contentLength(headers: HeaderList, status = 400): number | null {
  const value = headers.get("content-length");
  return value === null ? null : parseContentLength(value, status);
}

/** Like `contentLength`, for a value that is already at hand. */
export function parseContentLength(value: string, status = 400): number {
  if (DIGITS.test(value)) return Number(value);
  const numbers = value.split(",").map((one) => trimBlanks(one));
  const [first = ""] = numbers;
  if (DIGITS.test(first) && numbers.every((one) => one === first)) return Number(first);
  throw new GatewayError(
    "GW_CONTENT_LENGTH",
    status,
    `Content-Length must be one decimal number, found ${JSON.stringify(value.slice(0, 80))}`,
  );
}

const DIGITS = /^[0-9]{1,15}$/;
