// The Authorization field of Digest authentication, strict (RFC 7616 §3.4).
import { type HeaderList, toText } from "@gw/core";
import { parseParameters } from "../auth/parameters.ts";
import { type DigestAlgorithm, digestAlgorithms } from "./algorithm.ts";

/** Digest credentials as sent. Strings are byte strings, but `user`. */
export interface DigestCredentials {
  /** The name, text; with `isHashed` it is H(name:realm). */
  readonly user: string;
  readonly isHashed: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly isSession: boolean;
  readonly cnonce: string;
  /** Eight hexadecimal digits. */
  readonly nc: string;
}

/** The credentials of a request: `null` without any or of another scheme, `"malformed"`, or `"ambiguous"` with several. */
export function parseDigest(headers: HeaderList): DigestCredentials | "malformed" | "ambiguous" | null {
  const values = headers.getAll("authorization");
  if (values.length > 1) return "ambiguous";
  const rest = /^digest +(.*)$/i.exec(values[0] ?? "")?.[1];
  if (rest === undefined) return null;
  const parameters = parseParameters(rest);
  return (parameters === null ? null : readParameters(parameters)) ?? "malformed";
}

function readParameters(parameters: Map<string, string>): DigestCredentials | null {
  const get = (name: string): string => parameters.get(name) ?? "";
  const algorithm = algorithmOf(parameters.get("algorithm") ?? "MD5");
  const isHashed = get("userhash").toLowerCase() === "true";
  const user = userOf(parameters, isHashed);
  const nc = get("nc").toLowerCase();
  const isSound = /^[0-9a-f]{8}$/.test(nc) && /^[0-9a-f]{32,64}$/i.test(get("response")) && get("cnonce") !== "";
  // Without qop the response covers neither nc nor cnonce (RFC 2069): refused.
  if (!isSound || algorithm === null || user === null || get("qop").toLowerCase() !== "auth") return null;
  return {
    user,
    isHashed,
    ...algorithm,
    nc,
    realm: get("realm"),
    nonce: get("nonce"),
    uri: get("uri"),
    response: get("response").toLowerCase(),
    cnonce: get("cnonce"),
  };
}

function algorithmOf(text: string): { algorithm: DigestAlgorithm; isSession: boolean } | null {
  const upper = text.toUpperCase();
  const isSession = upper.endsWith("-SESS");
  const plain = isSession ? upper.slice(0, -5) : upper;
  const algorithm = digestAlgorithms.find((one) => one === plain);
  return algorithm === undefined ? null : { algorithm, isSession };
}

/** `username`, or `username*` in the form of RFC 8187, never both; `null` for none and for control characters. */
function userOf(parameters: Map<string, string>, isHashed: boolean): string | null {
  const plain = parameters.get("username");
  const extended = parameters.get("username*");
  if ((plain === undefined) === (extended === undefined)) return null;
  if (extended !== undefined && isHashed) return null; // §3.4.4
  const user = extended === undefined ? toText(plain as string) : decodeExtended(extended);
  return user === null || user === "" || /[\u0000-\u001f\u007f-\u009f]/.test(user) ? null : user;
}

function decodeExtended(value: string): string | null {
  const encoded = /^utf-8'[A-Za-z0-9-]*'(.*)$/i.exec(value)?.[1];
  try {
    return encoded === undefined ? null : decodeURIComponent(encoded);
  } catch {
    return null;
  }
}
