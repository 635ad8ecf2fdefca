// How much of a form is taken, and the errors for what is more (413) or no form (400).
import { GatewayError } from "@gw/core";

/** Limits of one form. Beyond one of them: 413, with the limit's name in the message. */
export interface FormLimits {
  /**
   * Most bytes of the whole body, with everything between the parts: sets `exchange.maxBodyBytes`, up or down.
   * @default what the carrier and the mounts allow (10 MB)
   */
  maxBytes?: number;
  /** Most parts, fields and files together. @default 1_000 */
  maxParts?: number;
  /** Most fields. @default 1_000 */
  maxFields?: number;
  /** Most bytes of one field's value; fields are held in memory. @default 65_536 */
  maxFieldBytes?: number;
  /** Most files. @default 20 */
  maxFiles?: number;
  /** Most bytes of one file. @default 10_000_000 */
  maxFileBytes?: number;
  /** Most bytes of a field's or a file's name. @default 255 */
  maxNameBytes?: number;
  /** Most bytes of the header lines of one part. @default 8_192 */
  maxHeaderBytes?: number;
}

/** The limits with their defaults; `maxBytes` has none. */
export type WholeFormLimits = Required<Omit<FormLimits, "maxBytes">>;

/** Fills in the defaults. @throws GatewayError `GW_FORM_LIMIT` (500) for a limit that is no count. */
export function formLimits(given: FormLimits): WholeFormLimits {
  const { maxParts = 1_000, maxFields = 1_000, maxFieldBytes = 65_536, maxFiles = 20 } = given;
  const { maxFileBytes = 10_000_000, maxNameBytes = 255, maxHeaderBytes = 8_192 } = given;
  const whole = { maxParts, maxFields, maxFieldBytes, maxFiles, maxFileBytes, maxNameBytes, maxHeaderBytes };
  for (const [name, value] of Object.entries({ ...whole, maxBytes: given.maxBytes ?? 0 })) {
    if (value >= 0 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)) continue;
    throw new GatewayError("GW_FORM_LIMIT", 500, `${name} is a count of at least 0, found ${value}`);
  }
  return whole;
}

/** The error for a form beyond one of its limits. */
export function beyondLimit(limit: keyof WholeFormLimits, limits: WholeFormLimits, what: string): GatewayError {
  return new GatewayError("GW_FORM_TOO_LARGE", 413, `${what}: ${limit} is ${limits[limit]}`);
}

/** The error for a body that is no form of the type it names. */
export function noForm(why: string, cause?: unknown): GatewayError {
  return new GatewayError("GW_FORM_SYNTAX", 400, `the form cannot be read: ${why}`, { cause });
}

/** A name from the client as part of a message: short, and on one line. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

/** Checks the names of a part. @throws GatewayError `GW_FORM_TOO_LARGE`, `GW_FORM_SYNTAX` */
export function checkNames(names: readonly (string | undefined)[], limits: WholeFormLimits): void {
  for (const name of names) {
    if (name === undefined) throw noForm("a part has no name");
    if (Buffer.byteLength(name) > limits.maxNameBytes) {
      throw beyondLimit("maxNameBytes", limits, `the name ${shown(name)} is too long`);
    }
  }
}
