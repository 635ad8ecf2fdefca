// The provider: found when it is first needed, kept from then on, asked within limits. Everything said to it is in this file.
import { GatewayError, type Logger, type Status } from "@gw/core";
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from "openid-client";
import type { JwtAlgorithm } from "../jwt/algorithms.ts";
import { RemoteKeys } from "../jwt/remote-keys.ts";
import { boundedFetch } from "../outbound/bounded-fetch.ts";
import { checkedUrl } from "../outbound/read-json.ts";
import type { Granted } from "./login.ts";
import type { PendingLogin } from "./pending.ts";

/** Who we are to the provider, and what asking it may cost. */
export interface ProviderOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly clientAuthentication: "basic" | "post";
  readonly scopes: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly algorithm: Exclude<JwtAlgorithm, `HS${string}`>;
  readonly userInfo: boolean;
  readonly timeoutMs: number;
  readonly clockSkewMs: number;
  readonly allowHttp: boolean;
}

const MAX_BYTES = 1_048_576;
const MAX_WAIT_MS = 30_000;

type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers;

/** One provider of logins (OpenID Connect Discovery 1.0). */
export class Provider {
  readonly #options: ProviderOptions;
  readonly #issuer: URL;
  #log: Logger | null = null;
  #found: Configuration | null = null;
  #keys: RemoteKeys | null = null;
  #finding: Promise<Configuration> | null = null;
  #nextAt = 0;
  #failures = 0;
  #error: string | null = null;

  /** @throws GatewayError `GW_OUTBOUND_URL` for an issuer that is not https. */
  constructor(options: ProviderOptions) {
    this.#options = options;
    this.#issuer = checkedUrl(options.issuer, options.allowHttp);
  }

  /** Looks for the provider. One that is out does not stop the gateway: logins get 503 until it is back. */
  async start(log: Logger): Promise<void> {
    this.#log = log;
    await this.#connect().catch(() => {});
  }

  /** Looks for the provider's metadata anew; what is known stays if that fails. */
  async reload(): Promise<void> {
    this.#nextAt = 0;
    await this.#find().catch(() => {});
  }

  /** Whether the provider was found, and the last error. */
  status(): Status {
    const state = this.#found === null ? "starting" : "ready";
    return { name: `provider ${this.#issuer.host}`, state, error: this.#error };
  }

  /** A login to send a browser to: where, under which state, and what to remember. */
  async begin(redirectUri: string): Promise<{ url: string; state: string; verifier: string; nonce: string }> {
    const found = await this.#connect();
    const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
    const url = buildAuthorizationUrl(found, {
      ...this.#options.parameters,
      response_type: "code",
      redirect_uri: redirectUri,
      scope: this.#options.scopes.join(" "),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return { url: url.href, state, verifier, nonce };
  }

  /** Exchanges the code that a browser brought back, and checks everything about the ID token (Core §3.1.3.7). */
  async exchange(callback: URL, state: string, { verifier, nonce }: PendingLogin): Promise<Granted> {
    const found = await this.#connect();
    const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true };
    return this.#granted(found, await authorizationCodeGrant(found, callback, checks), null);
  }

  /** Renews the tokens of a login. */
  async refresh(refreshToken: string, sub: string): Promise<Granted> {
    const found = await this.#connect();
    return this.#granted(found, await refreshTokenGrant(found, refreshToken), sub);
  }

  /** Where the provider ends its own session (RP-Initiated Logout 1.0 §2), or `null` if it has no such place or is not known. */
  endSessionUrl(idToken: string, afterLogout: string): string | null {
    const found = this.#found;
    if (found?.serverMetadata().end_session_endpoint === undefined) return null;
    return buildEndSessionUrl(found, { id_token_hint: idToken, post_logout_redirect_uri: afterLogout }).href;
  }

  /** Origin of the place where the provider ends its session, or `null`. */
  get endSessionOrigin(): string | null {
    const endpoint = this.#found?.serverMetadata().end_session_endpoint;
    return endpoint === undefined ? null : new URL(endpoint).origin;
  }

  /** The keys that its logout tokens are signed with. */
  async keys(): Promise<RemoteKeys> {
    const found = await this.#connect();
    if (this.#keys === null) {
      const { algorithm, allowHttp, timeoutMs } = this.#options;
      const url = found.serverMetadata().jwks_uri ?? "";
      this.#keys = new RemoteKeys({ url, allowHttp, timeoutMs }, [algorithm]);
    }
    return this.#keys;
  }

  async #granted(found: Configuration, tokens: Tokens, expectedSub: string | null): Promise<Granted> {
    const claims = tokens.claims() ?? { sub: expectedSub ?? "" };
    if (claims.sub === "" || (expectedSub !== null && claims.sub !== expectedSub))
      throw new Error("another user's tokens");
    const more = this.#options.userInfo ? await fetchUserInfo(found, tokens.access_token, claims.sub) : {};
    const expiresIn = tokens.expiresIn();
    return {
      claims: { ...more, ...claims },
      idToken: tokens.id_token ?? "",
      refreshToken: tokens.refresh_token ?? null,
      expiresInMs: expiresIn === undefined ? null : expiresIn * 1_000,
    };
  }

  async #connect(): Promise<Configuration> {
    if (this.#found !== null) return this.#found;
    const waitMs = this.#nextAt - performance.now();
    if (this.#finding === null && waitMs > 0) throw this.#unavailable(waitMs, null);
    return this.#find();
  }

  #find(): Promise<Configuration> {
    this.#finding ??= this.#discover().finally(() => {
      this.#finding = null;
    });
    return this.#finding;
  }

  async #discover(): Promise<Configuration> {
    const { clientId, algorithm, allowHttp, timeoutMs, clockSkewMs } = this.#options;
    const metadata = { id_token_signed_response_alg: algorithm, [clockTolerance]: clockSkewMs / 1_000 };
    try {
      const found = await discovery(this.#issuer, clientId, metadata, this.#clientAuthentication(), {
        timeout: timeoutMs / 1_000,
        [customFetch]: boundedFetch(MAX_BYTES) as never,
        // The code comes back over TLS, but the signature is checked all the same.
        execute: allowHttp ? [allowInsecureRequests, enableNonRepudiationChecks] : [enableNonRepudiationChecks],
      });
      this.#found = found;
      this.#failures = 0;
      this.#error = null;
      return found;
    } catch (error) {
      const waitMs = Math.min(MAX_WAIT_MS, 1_000 * 2 ** this.#failures++);
      this.#nextAt = performance.now() + waitMs;
      this.#error = error instanceof Error ? error.message : String(error);
      this.#log?.warn({ err: error, issuer: this.#issuer.href }, "the provider of logins cannot be reached");
      throw this.#unavailable(waitMs, error);
    }
  }

  #clientAuthentication(): ReturnType<typeof None> {
    const { clientSecret, clientAuthentication } = this.#options;
    if (clientSecret === undefined) return None();
    return clientAuthentication === "post" ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret);
  }

  #unavailable(waitMs: number, cause: unknown): GatewayError {
    return new GatewayError("GW_OIDC_PROVIDER", 503, `the provider ${this.#issuer.host} cannot be reached`, {
      cause,
      headers: [["Retry-After", String(Math.max(1, Math.ceil(waitMs / 1_000)))]],
    });
  }
}
