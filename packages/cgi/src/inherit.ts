// What a program's environment holds besides the variables of the request (R-C5).
import { toBytes } from "@gw/core";
import { CgiError } from "./errors.ts";

/** What a program finds in its environment besides the variables of the request. */
export interface InheritOptions {
  /** Variables for every run, text. The request's own variables win over them. @default {} */
  env?: Readonly<Record<string, string>>;
  /** Names of variables of the gateway's own environment that programs may see, such as `"TZ"` or `"LANG"`. @default [] */
  inherit?: readonly string[];
  /** The program's `PATH`. @default "/usr/local/bin:/usr/bin:/bin" */
  path?: string;
}

/** The fixed `PATH` of programs. */
export const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * The constant part of a program's environment, values as byte strings: `PATH`, the inherited names, `env`.
 *
 * Nothing else of ours gets in: no key, no token, no `NODE_OPTIONS`.
 *
 * @throws CgiError `GW_CGI_OPTION` for a name or value that no environment can hold.
 * @param own our environment as `processEnvironment()` gives it; read only for the names in `inherit`.
 */
export function baseEnvironment(
  { env = {}, inherit = [], path = DEFAULT_PATH }: InheritOptions,
  own: () => ReadonlyMap<string, string>,
): Record<string, string> {
  const base: Record<string, string> = { PATH: toBytes(path) };
  if (inherit.length > 0) {
    const source = own();
    for (const name of inherit) {
      const value = source.get(toBytes(name));
      if (value !== undefined) base[name] = value;
    }
  }
  for (const [name, value] of Object.entries(env)) {
    if (!/^[^=\u0000]+$/.test(name) || value.includes("\0")) {
      throw new CgiError(
        "GW_CGI_OPTION",
        `env.${JSON.stringify(name)} cannot be a variable: a name holds no "=", neither part holds NUL`,
      );
    }
    base[toBytes(name)] = toBytes(value);
  }
  return base;
}
