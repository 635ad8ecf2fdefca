// PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, how password hashes say what they are.
import { GatewayError } from "@gw/core";

/** The parts of a PHC string. */
export interface PhcHash {
  /** `"argon2id"`, `"scrypt"`. */
  readonly id: string;
  /** Version of the algorithm, or `null`. */
  readonly version: number | null;
  readonly parameters: Readonly<Record<string, number>>;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

const PHC =
  /^\$([a-z0-9-]{1,32})(?:\$v=(\d{1,5}))?\$((?:[a-z0-9-]{1,32}=\d{1,10},?)+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** @throws GatewayError `GW_PASSWORD_HASH` if it is none. */
export function parsePhc(text: string): PhcHash {
  const [, id, version, parameters, salt, hash] = PHC.exec(text) ?? [];
  if (id === undefined || parameters === undefined || salt === undefined || hash === undefined) {
    throw new GatewayError(
      "GW_PASSWORD_HASH",
      500,
      `expected a PHC string, found ${JSON.stringify(text.slice(0, 12))}…`,
    );
  }
  const pairs = parameters.split(",").map((pair) => pair.split("=") as [string, string]);
  return {
    id,
    version: version === undefined ? null : Number(version),
    parameters: Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)])),
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

/** Writes a PHC string; base64 without padding. */
export function writePhc({ id, version, parameters, salt, hash }: PhcHash): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const parts = [id, ...(version === null ? [] : [`v=${version}`]), pairs.join(","), unpadded(salt), unpadded(hash)];
  return `$${parts.join("$")}`;
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
