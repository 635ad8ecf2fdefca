// Paths as people like to read them.
import { isAbsolute, relative } from "node:path";

/** A path below the current folder from there on; any other as it is. */
export function shortPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short === "" || short.startsWith("..") || isAbsolute(short) ? file : short;
}
