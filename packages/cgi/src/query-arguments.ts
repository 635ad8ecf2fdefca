// The search words of a query as arguments of a program (RFC 3875 §4.4): only where a mount asks for it (R-C4).
import type { GatewayRequest } from "@gw/core";

/**
 * The words of an "indexed" query, `a+b%20c`: byte strings; empty if it is none.
 *
 * A query with an unencoded `=` is a form, not words. If one word begins like
 * an option (`-`, or `/` as on other systems) or holds a control byte, none is
 * given: php-cgi's `?-s` printed source code that way (CVE-2012-1823).
 */
export function queryArguments({ method, query }: Pick<GatewayRequest, "method" | "query">): string[] {
  if (query === "" || query.includes("=") || (method !== "GET" && method !== "HEAD")) return [];
  const words = query.split("+").map(percentDecode);
  return words.some((word) => UNSAFE_WORD.test(word)) ? [] : words;
}

const UNSAFE_WORD = /^\s*[-/+]|[\u0000-\u001f\u007f]/;

function percentDecode(word: string): string {
  return word.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
