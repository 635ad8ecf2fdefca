// The Forwarded field and its node names (RFC 7239 §4, §6).
import type { Address } from "../model/address.ts";
import { parseIp, plainIp } from "../target/ip-address.ts";

/** One element: what one proxy said. Parameter names in lower case. */
export type ForwardedElement = ReadonlyMap<string, string>;

/**
 * The elements of a Forwarded field, the nearest proxy's last.
 *
 * Read from the right up to the first malformed one: what a client wrote, an open quote for example, stands to the
 * left of what proxies added and cannot change how theirs is read.
 */
export function parseForwarded(value: string): ForwardedElement[] {
  const elements: ForwardedElement[] = [];
  for (let end = value.length; end >= 0; ) {
    const start = elementStart(value, end);
    const text = value.slice(start, end).trim();
    if (text !== "") {
      const element = parseElement(text);
      if (element === null) break;
      elements.unshift(element);
    }
    end = start - 1;
  }
  return elements;
}

/** Where the element that ends here starts: after the nearest comma outside quotes. */
function elementStart(value: string, end: number): number {
  let inQuotes = false;
  for (let at = end - 1; at >= 0; at--) {
    const char = value[at];
    if (char === '"' && !isEscaped(value, at)) inQuotes = !inQuotes;
    else if (char === "," && !inQuotes) return at + 1;
  }
  return 0;
}

function isEscaped(value: string, at: number): boolean {
  let backslashes = 0;
  while (value[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

const PAIR = /[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|$)/y;

function parseElement(text: string): ForwardedElement | null {
  const element = new Map<string, string>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match === null) return null;
    const name = (match[1] as string).toLowerCase();
    // §4: each parameter occurs once at most.
    if (element.has(name)) return null;
    element.set(name, match[2] ?? (match[3] as string).replace(/\\(.)/g, "$1"));
  }
  return element;
}

/**
 * The address a node name gives: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, and `2001:db8::1` as
 * X-Forwarded-For has it. `null` for `unknown`, an obfuscated name, and anything else.
 *
 * Port 0 stands for one that was not given.
 */
export function parseNode(text: string): Address | null {
  if (parseIp(text) !== null) return { host: plainIp(text), port: 0 };
  const match = WITH_PORT.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3] ?? 0);
  if (parseIp(host) === null || port > 65_535) return null;
  return { host: plainIp(host), port };
}

const WITH_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/;
