// No byte of a request may do anything in a log, or to whoever reads it (R-O13).

/** A byte string as Apache writes it: printable ASCII stays, quotes and backslashes are escaped, all else is `\xhh`. */
export function escapeBytes(value: string): string {
  if (PRINTABLE.test(value)) return value;
  return value.replace(/["\\]|[^\x20-\x7e]/g, (char) => SHORT[char] ?? hex(char));
}

/** A finished JSON text without the control characters that JSON itself leaves alone. */
export function escapeJson(text: string): string {
  return text.replace(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

const PRINTABLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const SHORT: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function hex(char: string): string {
  return `\\x${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, "0")}`;
}

/** Hides the values of query parameters that carry secrets. */
export type HideSecrets = (target: string) => string;

/** Makes the function for these parameter names; their case does not matter. */
export function hideSecrets(names: readonly string[]): HideSecrets {
  if (names.length === 0) return (target) => target;
  const quoted = names.map((name) => name.replace(/[^A-Za-z0-9_]/g, "\\$&"));
  const pattern = new RegExp(`([?&;](?:${quoted.join("|")})=)[^&;#\\s"]*`, "gi");
  return (target) => (target.includes("=") ? target.replace(pattern, "$1***") : target);
}

/** Query parameters that usually carry secrets. */
export const SECRET_PARAMETERS: readonly string[] = [
  "access_token",
  "api_key",
  "apikey",
  "client_secret",
  "code",
  "id_token",
  "password",
  "refresh_token",
  "secret",
  "token",
];
