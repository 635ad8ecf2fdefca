// One Set-Cookie value, strict: what a browser would drop or misread is refused here (RFC 6265bis §4.1, §5.7).
import { GatewayError } from "@gw/core";
import { stringifySetCookie } from "cookie";

/** Attributes of a cookie (RFC 6265bis §4.1.2). */
export interface CookieOptions {
  /** Paths that get the cookie. @default "/" */
  path?: string;
  /** A domain whose hosts all get the cookie. Without it only this host does, which is safer. @default none */
  domain?: string;
  /** Seconds until it ends; 0 or less ends it at once. Without it the cookie ends with the browser. @default none */
  maxAge?: number;
  /** When it ends, for clients that do not know Max-Age. @default none */
  expires?: Date;
  /** Hidden from scripts. @default true */
  httpOnly?: boolean;
  /** Sent over TLS only. @default whether the request came over TLS; true for `__Host-` and `__Secure-` names */
  secure?: boolean;
  /** `"none"` sends it with requests from other sites and needs `secure`. @default "lax" */
  sameSite?: "strict" | "lax" | "none";
  /** One jar per top-level site (CHIPS); needs `secure`. @default false */
  partitioned?: boolean;
  /** `"percent"` takes any text; `"none"` writes the value as it is and refuses what is not a cookie-octet. @default "percent" */
  encode?: "percent" | "none";
}

/** A cookie with its name and value. */
export interface SetCookie extends CookieOptions {
  /** A token (RFC 9110 §5.6.2). */
  name: string;
  /** Text. */
  value: string;
}

/** A cookie that no browser would keep as meant. */
export class CookieError extends GatewayError {
  override readonly name = "CookieError";

  constructor(message: string, options?: ErrorOptions) {
    super("GW_COOKIE", 500, message, options);
  }
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const COOKIE_OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/; // RFC 6265bis §4.1.1
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;
const MAX_PAIR_BYTES = 4096; // RFC 6265bis §5.7 step 6
const MAX_ATTRIBUTE_BYTES = 1024; // §5.6: a longer attribute is ignored

/**
 * The value of a `Set-Cookie` field.
 *
 * @throws CookieError `GW_COOKIE` if the name is no token, a value or attribute has a char it may not have, name and
 *   value exceed 4,096 bytes, or a name prefix or attribute asks for what the others do not give (§4.1.3).
 */
export function writeSetCookie(cookie: SetCookie): string {
  const { name, path = "/", httpOnly = true, sameSite = "lax", partitioned = false } = cookie;
  const { domain, maxAge, expires } = cookie;
  const secure = cookie.secure ?? impliesSecure(name);
  checkName(name);
  checkPrefix({ name, path, domain, secure, httpOnly });
  if (!secure && (sameSite === "none" || partitioned)) {
    throw new CookieError(`cookie ${name}: ${partitioned ? "Partitioned" : "SameSite=None"} needs Secure`);
  }
  if (!PATH.test(path)) throw new CookieError(`cookie ${name}: Path must start with "/", found ${quoted(path)}`);
  if (path.length > MAX_ATTRIBUTE_BYTES || (domain?.length ?? 0) > MAX_ATTRIBUTE_BYTES) {
    throw new CookieError(`cookie ${name}: an attribute is longer than ${MAX_ATTRIBUTE_BYTES} bytes`);
  }
  const value = encodeValue(cookie);
  if (name.length + value.length > MAX_PAIR_BYTES) {
    throw new CookieError(
      `cookie ${name}: name and value are ${name.length + value.length} bytes, more than ${MAX_PAIR_BYTES}`,
    );
  }
  try {
    return stringifySetCookie(
      {
        name,
        value,
        path,
        httpOnly,
        secure,
        sameSite,
        partitioned,
        ...(domain !== undefined && { domain }),
        ...(maxAge !== undefined && { maxAge }),
        ...(expires !== undefined && { expires }),
      },
      { encode: (given) => given },
    );
  } catch (cause) {
    throw new CookieError(`cookie ${name}: ${(cause as Error).message}`, { cause });
  }
}

function checkName(name: string): void {
  if (!TOKEN.test(name)) throw new CookieError(`a cookie name is a token, found ${quoted(name)}`);
}

/** Whether a cookie of this name is only kept with `Secure`. Browsers compare prefixes without regard to case. */
export function impliesSecure(name: string): boolean {
  return /^__(host|secure|http|host-http)-/i.test(name);
}

interface Prefixed {
  readonly name: string;
  readonly path: string;
  readonly domain: string | undefined;
  readonly secure: boolean;
  readonly httpOnly: boolean;
}

// RFC 6265bis §4.1.3; `__Http-` and `__Host-Http-` are of the layered-cookies draft that follows it.
function checkPrefix({ name, path, domain, secure, httpOnly }: Prefixed): void {
  if (!impliesSecure(name)) return;
  const lower = name.toLowerCase();
  if (!secure) throw new CookieError(`cookie ${name}: its prefix needs Secure`);
  if (lower.startsWith("__host-") && (path !== "/" || domain !== undefined)) {
    throw new CookieError(`cookie ${name}: the prefix __Host- needs Path=/ and no Domain`);
  }
  if (/^__(host-)?http-/.test(lower) && !httpOnly) throw new CookieError(`cookie ${name}: its prefix needs HttpOnly`);
}

function encodeValue({ name, value, encode = "percent" }: SetCookie): string {
  if (encode === "none") {
    if (COOKIE_OCTETS.test(value)) return value;
    throw new CookieError(`cookie ${name}: the value has a char that is no cookie-octet; use encode: "percent"`);
  }
  try {
    return encodeURIComponent(value);
  } catch (cause) {
    throw new CookieError(`cookie ${name}: the value is no well-formed text`, { cause });
  }
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 80));
}
