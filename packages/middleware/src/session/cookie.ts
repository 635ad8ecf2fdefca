// The cookie that carries a session's id.
import type { HeaderList, RequestHead } from "@gw/core";
import { findCookies } from "../cookies/read.ts";
import { withoutCookies } from "../cookies/without.ts";
import { type CookieOptions, writeSetCookie } from "../cookies/write.ts";
import { isToken } from "./token.ts";

/** The cookie of a session. It is always HttpOnly. */
export interface SessionCookieOptions {
  /** Its name; over TLS `__Host-` is put before it, or `__Secure-` with a `domain` or `path`. @default "sid" */
  name?: string;
  /** Paths that get the cookie. @default "/" */
  path?: string;
  /** A domain whose hosts share the session; each of them can then set it. @default none: this host only */
  domain?: string;
  /** `"none"` is needed inside frames of other sites, and gives up what protects against forged requests. @default "lax" */
  sameSite?: "strict" | "lax" | "none";
  /** Keeps the cookie when the browser closes, for this many seconds; the session's own limits stay. @default none: until the browser closes */
  maxAge?: number;
  /** Whether names get a prefix over TLS. Without it other hosts of the domain can plant the cookie. @default true */
  prefix?: boolean;
  /**
   * Whether apps inside get the cookie in their `Cookie` field. A gateway of ours behind `proxy` that shares the store needs it.
   * Risk: each such app can act as the user in all others. @default false
   */
  forward?: boolean;
}

/** How many cookies of our name are tried. */
export const MAX_TOKENS = 3;

/** The session cookie as one scheme sees it: both Set-Cookie forms are made once. */
interface Form {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly clear: string;
}

/** Reads and writes the session cookie. */
export class SessionCookie {
  readonly #forms: Readonly<Record<"http" | "https", Form>>;

  /** @throws CookieError `GW_COOKIE` for options that no browser accepts. */
  constructor(options: SessionCookieOptions) {
    this.#forms = { http: formOf(options, false), https: formOf(options, true) };
  }

  /**
   * The ids that the client may hold: values that have the form of one, the first few.
   *
   * Several, because apps of this host, and over http other hosts of the domain, can set a cookie of our name too, and
   * browsers send that of the longest path first.
   */
  tokens(request: RequestHead): string[] {
    return [...new Set(this.values(request).filter(isToken))].slice(0, MAX_TOKENS);
  }

  /**
   * The request's fields without what opens the session; the same list if it is not there.
   *
   * Of both schemes: a browser sends the cookie that it got over http over TLS as well. Cookies of the same name that
   * have not the form of ours are an app's own.
   */
  hidden(headers: HeaderList, isOurs: (value: string) => boolean): HeaderList {
    const { http, https } = this.#forms;
    // The name over TLS ends in the plain one.
    if (headers.get("cookie")?.includes(http.name) !== true) return headers;
    return withoutCookies(headers, (name, value) => (name === http.name || name === https.name) && isOurs(value));
  }

  /** The cookie's name for the request's scheme. */
  nameFor({ scheme }: RequestHead): string {
    return this.#forms[scheme].name;
  }

  /** Every value that the client sent under that name, in their order. */
  values(request: RequestHead): string[] {
    return findCookies(request.headers.get("cookie"), this.nameFor(request));
  }

  /** Set-Cookie that hands out an id, or a sealed session. */
  write(token: string, { scheme }: RequestHead): string {
    const { before, after } = this.#forms[scheme];
    return before + token + after;
  }

  /** Set-Cookie that takes the id back. */
  clear({ scheme }: RequestHead): string {
    return this.#forms[scheme].clear;
  }
}

const PLACE = "-";

function formOf(options: SessionCookieOptions, isTls: boolean): Form {
  const { path = "/", domain, sameSite = "lax", maxAge } = options;
  const name = nameOf(options, isTls);
  const attributes: CookieOptions = {
    path,
    secure: isTls,
    httpOnly: true,
    // Without TLS there is no Secure, and browsers drop SameSite=None without it.
    sameSite: sameSite === "none" && !isTls ? "lax" : sameSite,
    ...(domain !== undefined && { domain }),
  };
  const line = writeSetCookie({ ...attributes, name, value: PLACE, ...(maxAge !== undefined && { maxAge }) });
  const before = `${name}=`;
  return {
    name,
    before,
    after: line.slice(before.length + PLACE.length),
    clear: writeSetCookie({ ...attributes, name, value: "", maxAge: 0, expires: new Date(0) }),
  };
}

function nameOf({ name = "sid", path = "/", domain, prefix = true }: SessionCookieOptions, isTls: boolean): string {
  if (!isTls || !prefix || name.startsWith("__")) return name;
  return (path === "/" && domain === undefined ? "__Host-" : "__Secure-") + name;
}
