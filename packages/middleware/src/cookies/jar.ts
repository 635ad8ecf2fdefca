// The cookies of one exchange: those that came, and those that will go.
import { type Answer, GatewayError, HeaderList, type RequestHead } from "@gw/core";
import { readCookies } from "./read.ts";
import { type CookieOptions, impliesSecure, writeSetCookie } from "./write.ts";

/** Reads the request's cookies and sets those of the answer. Reading never changes; `set` does not show in `get`. */
export interface Cookies {
  /** The value of a cookie, percent-decoded, or `null`. */
  get(name: string): string | null;
  /** Whether the client sent the cookie. */
  has(name: string): boolean;
  /** Every cookie the client sent. */
  all(): ReadonlyMap<string, string>;
  /**
   * Sets a cookie with the answer. Setting the same name, domain and path again replaces it.
   *
   * @throws CookieError `GW_COOKIE` if a browser would not keep it; GatewayError `GW_COOKIE_LATE` after the head has left.
   */
  set(name: string, value: string, options?: CookieOptions): void;
  /** Ends a cookie. Give the path and domain it was set with. Throws as `set` does. */
  delete(name: string, options?: Pick<CookieOptions, "path" | "domain" | "secure" | "partitioned">): void;
}

/** The Cookies of one exchange, as its layer sees them. */
export class CookieJar implements Cookies {
  readonly #request: RequestHead;
  #defaults: CookieOptions | null = null;
  #received: ReadonlyMap<string, string> | null = null;
  #pending: Map<string, string> | null = null;
  #isSent = false;
  #passes = 0;

  constructor(request: RequestHead) {
    this.#request = request;
  }

  /** The Cookie field as it came, or `null`. */
  get header(): string | null {
    return this.#request.headers.get("cookie");
  }

  /** Attributes of every cookie that `set` is not told otherwise; the first call counts. */
  adopt(defaults: CookieOptions): void {
    this.#defaults ??= defaults;
  }

  get(name: string): string | null {
    return this.all().get(name) ?? null;
  }

  has(name: string): boolean {
    return this.all().has(name);
  }

  all(): ReadonlyMap<string, string> {
    this.#received ??= readCookies(this.header);
    return this.#received;
  }

  set(name: string, value: string, options: CookieOptions = {}): void {
    this.put(name, value, { ...this.#defaults, ...options });
  }

  /** As `set`, with these attributes and no others. */
  put(name: string, value: string, options: CookieOptions): void {
    if (this.#isSent) {
      throw new GatewayError("GW_COOKIE_LATE", 500, `cookie ${name} was set after the head of the answer had left`);
    }
    const secure = this.#request.scheme === "https" || impliesSecure(name);
    const cookie = { secure, ...options, name, value };
    this.#pending ??= new Map();
    const key = `${name};${cookie.domain ?? ""};${cookie.path ?? "/"}`;
    const line = writeSetCookie(cookie);
    this.#pending.delete(key); // the order is that of the last calls
    this.#pending.set(key, line);
  }

  delete(name: string, options: Pick<CookieOptions, "path" | "domain" | "secure" | "partitioned"> = {}): void {
    this.set(name, "", { ...options, maxAge: 0, expires: new Date(0) });
  }

  /** Counts one more pass of the exchange through the layer: `dispatch` may run it through again. */
  enter(): this {
    this.#passes++;
    return this;
  }

  /** After an inner pass: nothing yet. After the outermost: the answer with the cookies, unless it is an error that was thrown. */
  leave(answer: Answer, isFailure: boolean): Answer {
    if (--this.#passes > 0) return answer;
    this.#isSent = true;
    if (this.#pending === null || isFailure) return answer;
    const lines = [...this.#pending.values()].map((line) => ["Set-Cookie", line] as const);
    return { ...answer, headers: HeaderList.from([...answer.headers, ...lines]) };
  }

  /** The answer was thrown away by an error: cookies can no longer be set. */
  fail(): void {
    if (--this.#passes === 0) this.#isSent = true;
  }
}
