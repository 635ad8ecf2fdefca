// Header names ↔ variable names. The one place that drops Proxy (R-C2) and names that could fold together (R-C3).

/**
 * The variable a header field becomes: `HTTP_USER_AGENT`, and `CONTENT_TYPE`, `CONTENT_LENGTH` without a prefix (RFC 3875 §4.1.18).
 *
 * `null`: it becomes none. These are `Proxy` (httpoxy), names with anything but letters, digits and `-`, and Transfer-Encoding.
 */
export function variableName(headerName: string): string | null {
  let name = known.get(headerName);
  if (name === undefined) {
    name = toVariable(headerName);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(headerName, name);
  }
  return name;
}

/** The header field a variable stands for: `User-Agent` for `HTTP_USER_AGENT`; `null` if it stands for none. */
export function headerNameOf(variable: string): string | null {
  if (variable === "CONTENT_TYPE") return "Content-Type";
  if (variable === "CONTENT_LENGTH") return "Content-Length";
  if (!/^HTTP_[A-Z0-9_]+$/.test(variable) || variable === "HTTP_PROXY") return null;
  return variable
    .slice(5)
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("-");
}

const MAX_KNOWN = 1_000;
const known = new Map<string, string | null>();

function toVariable(headerName: string): string | null {
  if (!/^[A-Za-z0-9-]+$/.test(headerName)) return null;
  const name = headerName.toUpperCase().replaceAll("-", "_");
  if (name === "PROXY" || name === "TRANSFER_ENCODING") return null;
  return name === "CONTENT_TYPE" || name === "CONTENT_LENGTH" ? name : `HTTP_${name}`;
}
