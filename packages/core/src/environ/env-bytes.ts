// Byte strings ↔ what a process environment can carry. Pure.
//
// Node writes `env` strings as UTF-8 and decodes `process.env` with
// replacement, so a byte like E9 is lost both ways unless it is caught here.
import { toBytes, toTextStrict } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";

/**
 * Variables (byte strings) as the text that Node's `spawn` turns into the same bytes.
 *
 * @throws GatewayError `GW_ENV_BYTES` (400) for a value that is not UTF-8 or has a NUL.
 */
export function toProcessEnvironment(variables: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    const text = toTextStrict(value);
    if (text === null || text.includes("\0")) {
      throw new GatewayError(
        "GW_ENV_BYTES",
        400,
        `${name} is not UTF-8, which a process environment cannot carry here`,
      );
    }
    environment[name] = text;
  }
  return environment;
}

/** `process.env` as byte strings. Bytes that were not UTF-8 are lost already: prefer `parseEnvironmentBlock`. */
export function fromProcessEnvironment(environment: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined) variables.set(toBytes(name), toBytes(value));
  return variables;
}

/** Reads an environment block, `NAME=value` ended by NUL each, as in `/proc/self/environ` (a byte string). */
export function parseEnvironmentBlock(block: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const entry of block.split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return variables;
}
