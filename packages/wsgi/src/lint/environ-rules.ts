// What a server must put into an environ (PEP 3333, "environ Variables"), as rules that can be checked.
import type { LintRule } from "@gw/core/lint";
import { hasMethods, isByteString, show } from "./found.ts";

/** An environ, unchecked. */
export type EnvironSubject = Readonly<Record<string, unknown>>;

const REQUIRED_KEYS = [
  "wsgi.version",
  "wsgi.url_scheme",
  "wsgi.input",
  "wsgi.errors",
  "wsgi.multithread",
  "wsgi.multiprocess",
  "wsgi.run_once",
] as const;

/** The rules for an environ. They are the server's to keep. */
export const environRules: readonly LintRule<EnvironSubject>[] = [
  {
    id: "wsgi-environ-dict",
    sentence:
      "This object must be a builtin Python dictionary (not a subclass, UserDict or other dictionary emulation)",
    check: (environ) => (isPlainObject(environ) ? null : `${show(environ)}, not a plain object`),
  },
  {
    id: "wsgi-environ-server",
    sentence: "SERVER_NAME and SERVER_PORT are required strings and must never be empty.",
    check: (environ) => firstMissing(environ, ["SERVER_NAME", "SERVER_PORT"]),
  },
  {
    id: "wsgi-environ-method",
    sentence: "This cannot ever be an empty string, and so is always required. (REQUEST_METHOD)",
    check: (environ) => firstMissing(environ, ["REQUEST_METHOD"]),
  },
  {
    id: "wsgi-environ-wsgi",
    sentence: "the environ dictionary … must contain the following WSGI-defined variables",
    check(environ) {
      const missing = REQUIRED_KEYS.find((key) => !(key in environ));
      return missing === undefined ? null : `${missing} is missing`;
    },
  },
  {
    id: "wsgi-environ-strings",
    sentence: "It is a violation of this specification for any CGI variable's value to be of any type other than str.",
    check: (environ) => firstVariable(environ, (value) => typeof value !== "string"),
  },
  {
    id: "wsgi-environ-latin1",
    sentence: "servers and gateways must not supply strings to an application containing any other Unicode characters",
    check: (environ) => firstVariable(environ, (value) => !isByteString(value as string)),
  },
  {
    id: "wsgi-environ-content",
    sentence: "CONTENT_TYPE: The contents of any Content-Type fields in the HTTP request.",
    check(environ) {
      const wrong = ["HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"].find((key) => key in environ);
      return wrong === undefined ? null : `${wrong}, which is named ${wrong.slice(5)}`;
    },
  },
  {
    id: "wsgi-environ-length",
    sentence: "CONTENT_LENGTH: The contents of any Content-Length fields in the HTTP request. May be empty or absent.",
    check: ({ CONTENT_LENGTH: length = "" }) =>
      /^[0-9]*$/.test(String(length)) ? null : `CONTENT_LENGTH ${show(length)}`,
  },
  {
    id: "wsgi-environ-script-name",
    sentence:
      'SCRIPT_NAME: The initial portion of the request URL\'s "path" … may be an empty string, if the application corresponds to the "root" of the server.',
    check: ({ SCRIPT_NAME: name = "" }) => (/^$|^\/./s.test(String(name)) ? null : `SCRIPT_NAME ${show(name)}`),
  },
  {
    id: "wsgi-environ-path-info",
    sentence:
      'PATH_INFO: The remainder of the request URL\'s "path" … may be an empty string, if the request URL targets the application root and does not have a trailing slash.',
    check: ({ PATH_INFO: path = "" }) => (/^$|^\//.test(String(path)) ? null : `PATH_INFO ${show(path)}`),
  },
  {
    id: "wsgi-environ-user",
    sentence:
      "missing variables (such as REMOTE_USER when no authentication has occurred) should be left out of the environ dictionary",
    check: ({ REMOTE_USER: user }) => (user === "" ? "an empty REMOTE_USER" : null),
  },
  {
    id: "wsgi-version",
    sentence: "wsgi.version: The tuple (1, 0), representing WSGI version 1.0.",
    check({ "wsgi.version": version }) {
      const isRight = Array.isArray(version) && version.length === 2 && version[0] === 1 && version[1] === 0;
      return isRight ? null : show(version);
    },
  },
  {
    id: "wsgi-url-scheme",
    sentence: 'wsgi.url_scheme: … Normally, this will have the value "http" or "https", as appropriate.',
    check: ({ "wsgi.url_scheme": scheme }) => (scheme === "http" || scheme === "https" ? null : show(scheme)),
  },
  {
    id: "wsgi-input-methods",
    sentence:
      "The input and error streams provided by the server must support the following methods: read, readline, readlines, __iter__",
    check: ({ "wsgi.input": input }) => hasMethods(input, ["read", "readline", "readlines", Symbol.iterator]),
  },
  {
    id: "wsgi-errors-methods",
    sentence:
      "The input and error streams provided by the server must support the following methods: flush, write, writelines",
    check: ({ "wsgi.errors": errors }) => hasMethods(errors, ["flush", "write", "writelines"]),
  },
];

function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function firstMissing(environ: EnvironSubject, names: readonly string[]): string | null {
  const missing = names.find((name) => typeof environ[name] !== "string" || environ[name] === "");
  return missing === undefined ? null : `${missing} is ${show(environ[missing])}`;
}

/** Keys with a dot are extensions, of any type. */
function firstVariable(environ: EnvironSubject, isWrong: (value: unknown) => boolean): string | null {
  for (const [name, value] of Object.entries(environ)) {
    if (!name.includes(".") && isWrong(value)) return `${name} is ${show(value)}`;
  }
  return null;
}
