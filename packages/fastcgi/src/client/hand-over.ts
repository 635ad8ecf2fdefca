// X-Sendfile and X-Accel-Redirect: a backend names a file, we send it; only below directories that the mount allows.
import { isAbsolute, relative, resolve } from "node:path";
import {
  andThen,
  decodePercent,
  discard,
  type HttpRequest,
  type HttpResponse,
  type MaybePromise,
  toBytes,
  toTextStrict,
} from "@gw/core";
import { fileAnswer } from "@gw/core/node";
import { FastcgiError } from "./errors.ts";
import type { FastcgiClientOptions } from "./options.ts";

/**
 * The answer, or the file that it names in its place. The field itself never reaches a client.
 *
 * @throws FastcgiError `GW_FCGI_SENDFILE` (502) for a file outside of the allowed directories
 */
export function handOver(
  request: HttpRequest,
  answer: HttpResponse,
  { sendfileRoots = [], accelRoots = {} }: Pick<FastcgiClientOptions, "sendfileRoots" | "accelRoots">,
): MaybePromise<HttpResponse> {
  const sendfile = answer.headers.get("x-sendfile");
  const accel = answer.headers.get("x-accel-redirect");
  if (sendfile === null && accel === null) return answer;
  const headers = answer.headers.without("x-sendfile", "x-accel-redirect");
  const isAllowed =
    (sendfile !== null && sendfileRoots.length > 0) || (accel !== null && Object.keys(accelRoots).length > 0);
  if (!isAllowed) return { ...answer, headers };
  const found = sendfile !== null ? underRoots(sendfile, sendfileRoots) : underPrefixes(accel as string, accelRoots);
  return andThen(discard(answer), () => {
    if (found === null) {
      throw new FastcgiError("GW_FCGI_SENDFILE", "the backend named a file outside of the allowed directories");
    }
    const method = request.method === "HEAD" ? "HEAD" : "GET"; // the file answers a POST, too
    const path = "/"; // a folder is no file: 404, and no redirect of the client's own address to one with a slash
    return fileAnswer({ ...request, method, path }, { ...found, index: [], dotfiles: "serve", headers });
  });
}

interface FoundFile {
  readonly root: string;
  /** Bytes, with a leading slash. */
  readonly path: string;
}

function underRoots(file: string, roots: readonly string[]): FoundFile | null {
  const path = toTextStrict(file);
  if (path === null || !isAbsolute(path)) return null;
  for (const root of roots) {
    const inside = relative(resolve(root), resolve(path));
    if (inside !== "" && !inside.startsWith("..") && !isAbsolute(inside)) return { root, path: toBytes(`/${inside}`) };
  }
  return null;
}

/** The longest prefix wins. The value is a path as in a URL: percent-encoded. */
function underPrefixes(target: string, roots: Readonly<Record<string, string>>): FoundFile | null {
  const path = decodePercent(target.split("?")[0] as string);
  if (path === null) return null;
  const prefixes = Object.keys(roots).sort((one, other) => other.length - one.length);
  for (const prefix of prefixes) {
    const start = prefix.endsWith("/") ? prefix : `${prefix}/`;
    if (path.startsWith(start)) return { root: roots[prefix] as string, path: path.slice(start.length - 1) };
  }
  return null;
}
