// A real OpenID Connect provider (the npm package oidc-provider) on 127.0.0.1, and a person who logs in there.
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";
import Provider, { type Configuration, type JWK } from "oidc-provider";
import { vi } from "vitest";

/** What a test asks of the provider. */
export interface ProviderSettings {
  /** Where the site is. */
  readonly origin: string;
  /** Where it takes logout tokens. */
  readonly backChannel?: string;
  /** Life of access tokens, seconds. */
  readonly accessTokenSeconds?: number;
}

/** A running provider. */
export interface TestProvider {
  readonly issuer: string;
  /** Groups of each user, as the next token will say. */
  readonly groups: Map<string, string[]>;
  /** How often each endpoint was asked, by path. */
  readonly asked: Map<string, number>;
  /** Breaks every connection from now on, or serves again. */
  setOut(isOut: boolean): void;
  /** Signs claims as the provider does. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Forgets every grant: refresh tokens are worth nothing from now on. */
  revokeAll(): Promise<void>;
  stop(): void;
}

/** Client id and secret of the site. */
export const client = { clientId: "site", clientSecret: "the site's secret, which is long enough" };

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });

/** Starts a provider that knows one site. */
export async function startProvider({
  origin,
  backChannel,
  accessTokenSeconds = 3_600,
}: ProviderSettings): Promise<TestProvider> {
  vi.spyOn(console, "warn").mockImplementation(() => {}); // it warns of its development settings
  vi.spyOn(console, "info").mockImplementation(() => {});
  const server: Server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const groups = new Map<string, string[]>();
  const asked = new Map<string, number>();
  const provider = new Provider(
    issuer,
    configuration({ origin, accessTokenSeconds, groups, ...(backChannel && { backChannel }) }),
  );
  const answer = provider.callback();

  let isOut = false;
  server.on("request", (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (isOut) request.socket.destroy();
    else void answer(request, response);
  });
  const grants = new Set<string>();
  provider.on("grant.success", ({ oidc }) => void (oidc.entities.Grant && grants.add(oidc.entities.Grant.jti)));
  return {
    issuer,
    groups,
    asked,
    setOut: (value) => {
      isOut = value;
    },
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(privateKey),
    revokeAll: async () => {
      for (const id of grants) await (await provider.Grant.find(id))?.destroy();
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function configuration(
  settings: Required<Omit<ProviderSettings, "backChannel">> & { backChannel?: string; groups: Map<string, string[]> },
): Configuration {
  const { origin, backChannel, accessTokenSeconds, groups } = settings;
  return {
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" } as JWK] },
    cookies: { keys: ["a key of the test"] },
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [`${origin}/login/callback`],
        post_logout_redirect_uris: [`${origin}/`],
        ...(backChannel !== undefined && {
          backchannel_logout_uri: backChannel,
          backchannel_logout_session_required: true,
        }),
      },
    ],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
    claims: { openid: ["sub"], profile: ["name", "groups"], email: ["email"] },
    conformIdTokenClaims: false,
    scopes: ["openid", "offline_access", "profile", "email"],
    ttl: { AccessToken: accessTokenSeconds, Grant: 86_400, IdToken: 3_600, Interaction: 600, Session: 86_400 },
    issueRefreshToken: async () => true,
    // Its own dispatcher calls no loopback address.
    fetch: (url, { dispatcher: _, ...options }: RequestInit & { dispatcher?: unknown }) => fetch(url, options),
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Name of ${id}`, email: `${id}@example.com`, groups: groups.get(id) ?? [] }),
    }),
    // Nobody is asked whether the site may know who they are.
    loadExistingGrant: async (context) => {
      const { provider, client: asking, session } = context.oidc;
      const id = asking === undefined ? undefined : session?.grantIdFor(asking.clientId);
      if (id !== undefined) return provider.Grant.find(id);
      const grant = new provider.Grant({ clientId: asking?.clientId ?? "", accountId: session?.accountId ?? "" });
      grant.addOIDCScope("openid offline_access profile email");
      await grant.save();
      return grant;
    },
  } as Configuration;
}

/** A person with a browser, as far as the provider's pages go: keeps its cookies, follows its redirects, fills its forms. */
export class Person {
  readonly #name: string;
  readonly #cookies: Map<string, string> = new Map();

  constructor(name: string) {
    this.#name = name;
  }

  /** Follows a login from the site to the provider and back: the URL that the browser is sent to on the site. */
  async logIn(url: string): Promise<string> {
    const { origin } = new URL(url);
    let target = url;
    for (let step = 0; step < 12; step++) {
      const answer = await this.#send(target);
      const location = answer.headers.get("location");
      if (location === null) {
        const action = new URL(/<form[^>]* action="([^"]+)"/.exec(await answer.text())?.[1] ?? "", target).href;
        const posted = await this.#send(
          action,
          new URLSearchParams({ prompt: "login", login: this.#name, password: "any" }),
        );
        target = new URL(posted.headers.get("location") ?? "", action).href;
      } else target = new URL(location, target).href;
      if (new URL(target).origin !== origin) return target;
    }
    throw new Error("the provider leads nowhere");
  }

  /** Confirms the provider's question at the end of a session: the URL that the browser is sent to. */
  async logOut(url: string): Promise<string> {
    const page = await (await this.#send(url)).text();
    const [, action = ""] = /<form[^>]* action="([^"]+)"/.exec(page) ?? [];
    const [, xsrf = ""] = /name="xsrf" value="([^"]+)"/.exec(page) ?? [];
    const answer = await this.#send(new URL(action, url).href, new URLSearchParams({ xsrf, logout: "yes" }));
    return answer.headers.get("location") ?? "";
  }

  async #send(url: string, body?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { redirect: "manual", headers: { cookie }, ...(body && { method: "POST", body }) });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return answer;
  }
}
