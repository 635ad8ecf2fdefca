// What single web servers do to a CGI program that others do not, and what a program does about it. Pure.

type Variables = ReadonlyMap<string, string>;

/** The variables as RFC 3875, and the custom beyond it, would have them. */
export function withoutQuirks(variables: Variables): Variables {
  return variables.get("SERVER_SOFTWARE") === "TOMCAT" ? withQueryInTarget(variables) : variables;
}

/** Tomcat 10 (CGIServlet): REQUEST_URI is the path alone, where every other server sends the whole request-target. */
function withQueryInTarget(variables: Variables): Variables {
  const target = variables.get("REQUEST_URI") ?? "";
  const query = variables.get("QUERY_STRING") ?? "";
  if (query === "" || target === "" || target.includes("?")) return variables;
  return new Map([...variables, ["REQUEST_URI", `${target}?${query}`]]);
}

/**
 * Whether the server gives up on a program that leaves its input unread: fcgiwrap, which hands over libfcgi's FCGI_ROLE
 * (other servers do not), and Tomcat, whose client then gets a 500.
 */
export function failsOnUnread({ FCGI_ROLE, SERVER_SOFTWARE }: Readonly<Record<string, string | undefined>>): boolean {
  return FCGI_ROLE !== undefined || SERVER_SOFTWARE === "TOMCAT";
}
