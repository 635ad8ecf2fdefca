// Header names ↔ variable names. The one place that drops Proxy (R-C2) and names that could fold together (R-C3).

/**
 * The variable a header field becomes: `HTTP_USER_AGENT`; without a prefix only `CONTENT_TYPE` and `CONTENT_LENGTH` (RFC 3875 §4.1.18).
 *
 * `null`: it becomes none. That is `Proxy`, which programs would take for their own HTTP_PROXY setting (httpoxy);
 * Transfer-Encoding, since programs get bodies without it; and every name with anything but letters, digits and `-`,
 * so that `X_User` cannot pass for `X-User`.
 */
export function variableName(headerName: string): string | null {
  const name = known.get(headerName);
  return name === undefined ? learn(headerName) : name;
}

/**
 * The header field a variable stands for: `User-Agent` for `HTTP_USER_AGENT`.
 *
 * `null`: it stands for none. So does `HTTP_PROXY`, and what no front server makes of a header field.
 */
export function headerNameOf(variable: string): string | null {
  const name = knownBack.get(variable);
  return name === undefined ? learnBack(variable) : name;
}

// Clients choose the names, so what is learned is bounded; the usual ones are there from the start and stay.
const MAX_KNOWN = 1_000;
const known = new Map<string, string | null>();
const knownBack = new Map<string, string | null>();

const USUAL = `Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Connection
Content-Disposition Content-Encoding Content-Language Content-Length Content-Type Cookie DNT Date Expect Forwarded From
Host If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Origin Pragma Priority Proxy
Proxy-Authorization Range Referer Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode
Sec-Fetch-Site Sec-Fetch-User Sec-GPC Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol
Sec-WebSocket-Version TE Traceparent Tracestate Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Via
X-CSRF-Token X-Forwarded-For X-Forwarded-Host X-Forwarded-Port X-Forwarded-Proto X-Real-IP X-Request-ID
X-Requested-With`.split(/\s+/);

function forgetLearned(): void {
  known.clear();
  knownBack.clear();
  for (const name of USUAL) {
    const variable = toVariable(name);
    known.set(name, variable);
    known.set(name.toLowerCase(), variable);
    if (variable !== null) knownBack.set(variable, toHeader(variable));
  }
}

function learn(headerName: string): string | null {
  const variable = toVariable(headerName);
  if (known.size >= MAX_KNOWN) forgetLearned();
  known.set(headerName, variable);
  return variable;
}

function learnBack(variable: string): string | null {
  const name = toHeader(variable);
  if (knownBack.size >= MAX_KNOWN) forgetLearned();
  knownBack.set(variable, name);
  return name;
}

function toVariable(headerName: string): string | null {
  if (!/^[A-Za-z0-9-]+$/.test(headerName)) return null;
  return foldToVariable(headerName);
}

/** The variable of a name whatever its chars: for names that an operator has allowed. */
export function foldToVariable(headerName: string): string | null {
  const name = headerName.toUpperCase().replace(/[^A-Z0-9]/g, "_");
  if (name === "PROXY" || name === "TRANSFER_ENCODING") return null;
  return name === "CONTENT_TYPE" || name === "CONTENT_LENGTH" ? name : `HTTP_${name}`;
}

function toHeader(variable: string): string | null {
  if (variable === "CONTENT_TYPE") return "Content-Type";
  if (variable === "CONTENT_LENGTH") return "Content-Length";
  const match = /^HTTP_([A-Z0-9_]+)$/.exec(variable);
  const name = match?.[1] ?? "";
  if (match === null || NEVER_BACK.has(name)) return null;
  return name
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("-");
}

// Content-Type and Content-Length have variables of their own: one message, one reading.
const NEVER_BACK: ReadonlySet<string> = new Set(["PROXY", "TRANSFER_ENCODING", "CONTENT_TYPE", "CONTENT_LENGTH"]);

forgetLearned();
