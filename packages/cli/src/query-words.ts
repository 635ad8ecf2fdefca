// Words of a query on our command line: some servers put them there for CGI programs (RFC 3875 §4.4), and anyone can send them.

/** Whether a web server started us as a CGI program (RFC 3875 §4.1.4). */
export function isCgi(environment: NodeJS.ProcessEnv): boolean {
  return environment.GATEWAY_INTERFACE?.startsWith("CGI/") ?? false;
}

/**
 * The arguments without the words of the query at their end.
 *
 * Read as flags they would let a URL such as `/program?--use+./evil.ts` choose what is run. What follows the app is the
 * client's, too: `parseArguments` stops there.
 */
export function withoutQueryWords(argv: readonly string[], query: string): readonly string[] {
  if (query === "" || query.includes("=")) return argv; // §4.4: such a query is no list of words
  const words = query.split("+").map(decoded);
  const from = argv.length - words.length;
  // Apache puts a backslash before what a shell would take for itself.
  const isTail = from >= 0 && words.every((word, at) => argv[from + at]?.replace(/\\(.)/g, "$1") === word);
  return isTail ? argv.slice(0, from) : argv;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
