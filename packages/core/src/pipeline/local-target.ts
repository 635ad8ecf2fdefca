// Whether a redirect stays on this site, as browsers see it (R-M12).

/**
 * The target in the form a browser would follow it, if that stays on this site; else `null`.
 *
 * For targets that come from a client, such as `?next=`. Browsers drop tabs
 * and line breaks, take `\` for `/` and resolve dots before they look for a
 * host, so the WHATWG URL parser decides, not a pattern: `//host`, `/\host`,
 * `/<tab>/host` and `/.//host` are all refused.
 *
 * @param target text: a path with query and fragment, starting with `/`
 */
export function localTarget(target: string): string | null {
  if (!target.startsWith("/")) return null;
  let url: URL;
  try {
    url = new URL(target, BASE);
  } catch {
    return null;
  }
  if (url.origin !== BASE || url.username !== "" || url.password !== "") return null;
  return url.pathname.startsWith("//") ? null : url.pathname + url.search + url.hash;
}

const BASE = "http://site.invalid";
