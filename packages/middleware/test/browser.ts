// A browser as far as cookies go: keeps what it is sent, and sends it back.
import { type AppSource, type HeaderInit, HeaderList } from "@gw/core";
import {
  type RunningApp,
  type RunOptions,
  run,
  type SendInit,
  type TestResponse,
  type TestSocket,
} from "@gw/core/testing";

/** A browser with a started app. */
export class Browser {
  readonly app: RunningApp;
  readonly cookies: Map<string, string>;

  constructor(app: RunningApp, cookies: ReadonlyMap<string, string> = new Map()) {
    this.app = app;
    this.cookies = new Map(cookies);
  }

  /** Another one with the same cookies: a parallel request, or a thief. */
  copy(): Browser {
    return new Browser(this.app, this.cookies);
  }

  /** Loads a page, as a navigation unless the headers say otherwise. */
  async get(target: string, init: SendInit = {}): Promise<TestResponse> {
    return this.send(target, init);
  }

  /** Sends a form. */
  async post(
    target: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<TestResponse> {
    return this.send(target, {
      method: "POST",
      body: new URLSearchParams(fields).toString(),
      headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    });
  }

  async send(target: string, init: SendInit = {}): Promise<TestResponse> {
    const answer = await this.app.request(target, { ...init, headers: this.#withCookies(init.headers) });
    this.keep(answer.headers);
    return answer;
  }

  async openSocket(target: string): Promise<TestSocket> {
    const socket = await this.app.openSocket(target, { headers: this.#withCookies(undefined) });
    this.keep(socket.headers);
    return socket;
  }

  /** Takes the Set-Cookie fields of an answer. */
  keep(headers: HeaderList): void {
    for (const line of headers.getAll("set-cookie")) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }

  #withCookies(init: HeaderInit | undefined): HeaderList {
    const headers = HeaderList.from(init ?? {});
    if (this.cookies.size === 0) return headers;
    return headers.append("Cookie", [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "));
  }
}

/** Starts an app, and a browser that uses it. The caller stops it. */
export async function browse(app: AppSource, options: RunOptions = {}): Promise<Browser> {
  return new Browser(await run(app, options));
}
