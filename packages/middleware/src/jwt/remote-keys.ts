// The keys of an issuer, kept and renewed from its JWK Set (R-M4, R-O7).
import { GatewayError, type Logger, type Status } from "@gw/core";
import { checkedUrl, readJson } from "../outbound/read-json.ts";
import type { JwtAlgorithm } from "./algorithms.ts";
import { keysOfSet, type VerificationKey } from "./key-set.ts";

/** Where an issuer publishes its keys, and what asking for them may cost. */
export interface JwksOptions {
  /** The JWK Set; https. */
  url: string;
  /** After this long keys are fetched anew, beside the requests, milliseconds. @default 600_000 (10 minutes) */
  maxAgeMs?: number;
  /** At least this long between two fetches, whatever tokens name, milliseconds. @default 30_000 */
  cooldownMs?: number;
  /** Longest wait for an answer, milliseconds. @default 5_000 */
  timeoutMs?: number;
  /** Largest answer, bytes. @default 262_144 */
  maxBytes?: number;
  /** Takes `http:` from this machine's own addresses (127.0.0.1, ::1, localhost). @default false */
  allowHttp?: boolean;
}

/** Keys that are fetched when they are first needed, when they are old, and when a token names one that is not there. */
export class RemoteKeys {
  readonly #url: URL;
  readonly #options: Required<Omit<JwksOptions, "url" | "allowHttp">>;
  readonly #algorithms: readonly JwtAlgorithm[];
  readonly #now: () => number;
  #log: Logger | null = null;
  #keys: readonly VerificationKey[] | null = null;
  #fetchedAt = 0;
  #nextAt = 0;
  #failures = 0;
  #error: string | null = null;
  #fetching: Promise<void> | null = null;

  /** @param now milliseconds of a clock that never steps back */
  constructor(options: JwksOptions, algorithms: readonly JwtAlgorithm[], now: () => number = () => performance.now()) {
    const { maxAgeMs = 600_000, cooldownMs = 30_000, timeoutMs = 5_000, maxBytes = 262_144 } = options;
    this.#url = checkedUrl(options.url, options.allowHttp);
    this.#options = { maxAgeMs, cooldownMs, timeoutMs, maxBytes };
    this.#algorithms = algorithms;
    this.#now = now;
    this.#nextAt = now();
  }

  /** Fetches the keys for the first time. An issuer that is out does not stop the gateway: tokens get 503 until it is back. */
  async start(log: Logger): Promise<void> {
    this.#log = log;
    if (this.#mayFetch()) await this.#fetch();
  }

  /** The keys at hand; waits only where there are none yet. @throws GatewayError `GW_JWKS` (503) if none were ever had. */
  async current(): Promise<readonly VerificationKey[]> {
    if (this.#keys === null && (this.#fetching !== null || this.#mayFetch())) await this.#fetch();
    if (this.#keys === null) throw this.#unavailable();
    const isOld = this.#now() - this.#fetchedAt >= this.#options.maxAgeMs;
    if (isOld && this.#mayFetch()) void this.#fetch(); // old keys are good until there are new ones
    return this.#keys;
  }

  /** The keys after another look, for a token that names none of them; `null` if it is too early to look again. */
  async renewed(): Promise<readonly VerificationKey[] | null> {
    if (this.#fetching === null && !this.#mayFetch()) return null;
    await this.#fetch();
    return this.#keys;
  }

  /** For the status page. */
  status(): Status {
    const facts = { keys: this.#keys?.length ?? 0 };
    const name = `keys of ${this.#url.host}`;
    return { name, state: this.#keys === null ? "starting" : "ready", error: this.#error, facts };
  }

  #mayFetch(): boolean {
    return this.#now() >= this.#nextAt;
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #load(): Promise<void> {
    const { cooldownMs } = this.#options;
    this.#nextAt = this.#now() + cooldownMs;
    try {
      const keys = keysOfSet(await readJson(this.#url, this.#options), this.#algorithms);
      if (keys.length === 0) throw new Error("the JWK Set has no key for the configured algorithms");
      this.#keys = keys;
      this.#fetchedAt = this.#now();
      this.#failures = 0;
      this.#error = null;
    } catch (error) {
      this.#nextAt = this.#now() + Math.min(cooldownMs, 1_000 * 2 ** this.#failures++);
      this.#error = error instanceof Error ? error.message : String(error);
      this.#log?.warn({ err: error, url: this.#url.href }, "the keys of an issuer cannot be fetched; those known stay");
    }
  }

  #unavailable(): GatewayError {
    const seconds = Math.max(1, Math.ceil((this.#nextAt - this.#now()) / 1_000));
    return new GatewayError("GW_JWKS", 503, `no keys of ${this.#url.host} yet: ${this.#error ?? "not fetched"}`, {
      headers: [["Retry-After", String(seconds)]],
    });
  }
}
