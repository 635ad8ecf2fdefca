// The hashes of Digest authentication (RFC 7616 §3.4, §6.1), as hex.
import { hash } from "node:crypto";

/** Names of algorithms in challenges, best first. */
export const digestAlgorithms = ["SHA-512-256", "SHA-256", "MD5"] as const;

/** A hash function of Digest authentication. */
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

const OPENSSL: Readonly<Record<DigestAlgorithm, string>> = {
  "SHA-512-256": "sha512-256",
  "SHA-256": "sha256",
  MD5: "md5",
};

/** H(data) in lower-case hex; text is hashed as UTF-8. */
export function digestOf(algorithm: DigestAlgorithm, data: string): string {
  return hash(OPENSSL[algorithm], data, "hex");
}

/** H(A1) without `-sess`: what is stored in place of a password. */
export function secretHash(algorithm: DigestAlgorithm, user: string, realm: string, password: string): string {
  return digestOf(algorithm, `${user}:${realm}:${password}`);
}

/** What a response is computed from, beside the secret. */
export interface DigestFacts {
  readonly algorithm: DigestAlgorithm;
  readonly isSession: boolean;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly nc: string;
  readonly cnonce: string;
}

/** The response that a client with the secret H(user:realm:password) sends, for `qop=auth` (§3.4.1). */
export function responseOf(secret: string, facts: DigestFacts): string {
  const { algorithm, isSession, method, uri, nonce, nc, cnonce } = facts;
  const a1 = isSession ? digestOf(algorithm, `${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = digestOf(algorithm, `${method}:${uri}`);
  return digestOf(algorithm, `${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}`);
}
