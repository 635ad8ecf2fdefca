// A user in one signed field: a compact JWS (RFC 7515) that is bound to a receiver and to a moment.
import { randomBytes } from "node:crypto";
import type { Principal } from "@gw/core";
import type { ReadyKey } from "./keys.ts";

/** What an identity says besides the user. */
export interface IdentityFacts {
  readonly principal: Principal;
  /** Unique: an identity counts once. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly issuedMs: number;
  readonly expiresMs: number;
}

const TYPE = "gw-identity+jwt"; // so that no other token signed with the same key is taken for one (RFC 8725 §3.11)
const MAX_CHARS = 16_384;

/** Writes an identity, signed with a key that can sign. */
export function writeIdentity(
  key: ReadyKey & { readonly sign: NonNullable<ReadyKey["sign"]> },
  { principal, issuer, audience, lifetimeMs, nowMs }: WriteFacts,
): string {
  const { user, type, groups, claims } = principal;
  const header = { alg: key.algorithm, kid: key.id, typ: TYPE };
  const payload = {
    iss: issuer,
    aud: audience,
    iat: nowMs / 1_000,
    exp: (nowMs + lifetimeMs) / 1_000,
    jti: randomBytes(16).toString("base64url"),
    sub: user,
    type,
    groups,
    claims,
  };
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${key.sign(input).toString("base64url")}`;
}

/** What an identity is written from. */
export interface WriteFacts {
  readonly principal: Principal;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeMs: number;
  readonly nowMs: number;
}

/** What must hold of an identity. */
export interface ReadRules {
  readonly issuer: string;
  readonly audience: string;
  readonly maxLifetimeMs: number;
  readonly clockSkewMs: number;
  readonly nowMs: number;
}

/** Reads an identity, or says what is wrong with it: for a log, without anything of it. */
export function readIdentity(token: string, keys: readonly ReadyKey[], rules: ReadRules): IdentityFacts | string {
  if (token.length > MAX_CHARS) return "too long";
  const parts = token.split(".");
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return "no signed token";
  const [head = "", body = "", signature = ""] = parts;
  const header = decode(head);
  const key = keys.find(({ id }) => id === header?.kid);
  if (key === undefined) return "unknown key";
  if (header?.alg !== key.algorithm || header.typ !== TYPE || "crit" in header) return "header";
  if (!key.verify(`${head}.${body}`, Buffer.from(signature, "base64url"))) return "signature";
  const payload = decode(body);
  return payload === null ? "no claims" : judge(payload, rules);
}

function judge(payload: Record<string, unknown>, rules: ReadRules): IdentityFacts | string {
  const { iss, aud, jti, sub, type, groups, claims } = payload;
  if (iss !== rules.issuer) return "issuer";
  if (aud !== rules.audience) return "audience";
  const [issuedMs, expiresMs] = [Number(payload.iat) * 1_000, Number(payload.exp) * 1_000];
  if (!(issuedMs <= rules.nowMs + rules.clockSkewMs)) return "not yet valid";
  if (!(expiresMs > rules.nowMs - rules.clockSkewMs)) return "expired";
  if (!(expiresMs - issuedMs <= rules.maxLifetimeMs)) return "lives too long";
  if (typeof jti !== "string" || jti === "") return "no id";
  if (typeof sub !== "string" || sub === "" || typeof type !== "string") return "no user";
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === "string")) return "groups";
  if (!isRecord(claims)) return "claims";
  return { principal: { user: sub, type, groups, claims }, id: jti, issuedMs, expiresMs };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
