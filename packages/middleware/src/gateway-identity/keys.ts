// Keys of two gateways that trust each other: the first one signs, all of them verify, so that keys can be changed one by one.
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { GatewayError } from "@gw/core";

/** A key, and the name under which both gateways know it. Give exactly one of the three. */
export interface IdentityKey {
  /** Name of the key, sent with each identity. */
  readonly id: string;
  /** A secret that both gateways know, 32 bytes or more. */
  readonly secret?: string | Uint8Array;
  /** Ed25519 key of the gateway that sends, PEM. */
  readonly privateKey?: string;
  /** Ed25519 key for the gateway that receives, PEM. */
  readonly publicKey?: string;
}

/** How one key signs and verifies. */
export interface ReadyKey {
  readonly id: string;
  readonly algorithm: "HS256" | "EdDSA";
  /** `null`: this key can only verify. */
  readonly sign: ((input: string) => Buffer) | null;
  readonly verify: (input: string, signature: Uint8Array) => boolean;
}

const MIN_SECRET_BYTES = 32;

/** Makes keys ready. @throws GatewayError `GW_GATEWAY_IDENTITY` for none, one without a name, and a short or unreadable one. */
export function readyKeys(keys: readonly IdentityKey[]): readonly ReadyKey[] {
  if (keys.length === 0) throw bad("keys lists none");
  const ready = keys.map(readyKey);
  if (new Set(ready.map(({ id }) => id)).size < ready.length) throw bad("two keys have the same id");
  return ready;
}

function readyKey({ id, secret, privateKey, publicKey }: IdentityKey): ReadyKey {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id))
    throw bad(`a key's id is made of letters, digits, ".", "_", "-", found ${JSON.stringify(id)}`);
  if ([secret, privateKey, publicKey].filter((one) => one !== undefined).length !== 1) {
    throw bad(`the key ${id} is exactly one of secret, privateKey and publicKey`);
  }
  return secret === undefined ? edKey(id, privateKey, publicKey) : secretKey(id, secret);
}

function secretKey(id: string, secret: string | Uint8Array): ReadyKey {
  const bytes = typeof secret === "string" ? Buffer.from(secret) : secret;
  if (bytes.byteLength < MIN_SECRET_BYTES) throw bad(`the secret ${id} has fewer than ${MIN_SECRET_BYTES} bytes`);
  const mac = (input: string): Buffer => createHmac("sha256", bytes).update(input).digest();
  return {
    id,
    algorithm: "HS256",
    sign: mac,
    verify: (input, signature) => signature.byteLength === 32 && timingSafeEqual(mac(input), signature),
  };
}

function edKey(id: string, privateKey: string | undefined, publicKey: string | undefined): ReadyKey {
  const [secret, known] = readPair(id, privateKey, publicKey);
  if (known.asymmetricKeyType !== "ed25519") throw bad(`the key ${id} is no Ed25519 key`);
  return {
    id,
    algorithm: "EdDSA",
    sign: secret === null ? null : (input) => sign(null, Buffer.from(input), secret),
    verify: (input, signature) => verify(null, Buffer.from(input), known, signature),
  };
}

function readPair(
  id: string,
  privateKey: string | undefined,
  publicKey: string | undefined,
): [KeyObject | null, KeyObject] {
  try {
    if (privateKey === undefined) return [null, createPublicKey(publicKey as string)];
    const secret = createPrivateKey(privateKey);
    return [secret, createPublicKey(secret)];
  } catch (cause) {
    throw new GatewayError("GW_GATEWAY_IDENTITY", 500, `the key ${id} cannot be read`, { cause });
  }
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_GATEWAY_IDENTITY", 500, message);
}
