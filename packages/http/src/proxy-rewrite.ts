// Where answers point: from the upstream's paths back to ours. One rule, for Location, Content-Location and Set-Cookie.
import { HeaderList } from "@gw/core";

/** How paths of an upstream are written for clients. */
export interface PathMap {
  /** Raw path of the app on the upstream: `""` or `"/base"`. */
  readonly prefix: string;
  /** Raw path of the app here: `""` or `"/app"`. */
  readonly base: string;
  /** Authorities, in lower case, that mean this app: the upstream's and the one the client asked for. */
  readonly authorities: readonly string[];
}

const POINTERS = /^(?:location|content-location|set-cookie)$/i;

/** The fields with everything that points below the upstream's prefix pointing below our base; the rest stays. */
export function rewriteAnswerFields(headers: HeaderList, map: PathMap): HeaderList {
  let found = false;
  const flat = headers.toFlat().slice();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    if (!POINTERS.test(name)) continue;
    const value = flat[at + 1] as string;
    const rewritten = /^set-cookie$/i.test(name) ? rewriteCookie(value, map) : rewriteReference(value, map);
    found ||= rewritten !== value;
    flat[at + 1] = rewritten;
  }
  return found ? HeaderList.fromWire(flat) : headers;
}

const WITH_AUTHORITY = /^(?:https?:)?\/\/([^/?#\\]*)(.*)$/is;

/** A URL, or a path from the root; what is relative is relative to what the client asked for, and right already. */
function rewriteReference(value: string, map: PathMap): string {
  const full = WITH_AUTHORITY.exec(value);
  if (full === null) return value.startsWith("/") ? (mapPath(value, map) ?? value) : value;
  const [, authority, rest] = full as unknown as [string, string, string];
  if (!map.authorities.includes(authority.toLowerCase())) return value;
  return mapPath(rest.startsWith("/") ? rest : `/${rest}`, map) ?? value;
}

/** `null`: not below the prefix, or what would come out names another host. */
function mapPath(reference: string, { prefix, base }: PathMap): string | null {
  const end = reference.search(/[?#]/);
  const path = end < 0 ? reference : reference.slice(0, end);
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return null;
  const mapped = `${base}${path.slice(prefix.length)}` || "/";
  return /^\/[/\\]/.test(mapped) ? null : `${mapped}${end < 0 ? "" : reference.slice(end)}`;
}

/** A cookie for the upstream's paths is one for ours. `__Host-` cookies are for `/` or for nothing (RFC 6265bis §4.1.3.2). */
function rewriteCookie(value: string, map: PathMap): string {
  if (/^\s*__Host-/i.test(value)) return value;
  return value.replace(/(;\s*path\s*=\s*)([^;]*)/gi, (line, start: string, path: string) => {
    const mapped = mapPath(path.trim(), map);
    // "/app" is for "/app" and all below it, "/app/" not for "/app".
    return mapped === null ? line : `${start}${path.trim() === `${map.prefix}/` ? map.base || "/" : mapped}`;
  });
}
