// Files of a directory, before the app is asked.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import {
  type Answer,
  andThen,
  GatewayError,
  type GatewayRequest,
  layer,
  type MaybePromise,
  type Middleware,
} from "@gw/core";
import { type FileAnswerOptions, fileAnswer } from "@gw/core/node";

/** Settings of `serveStatic`; the rules for files are those of `fileAnswer` (docs/files.md). */
export interface ServeStaticOptions extends Omit<FileAnswerOptions, "path"> {
  /** Whether the app is asked for what is no file; else 404, and 405 for other methods. @default true */
  fallThrough?: boolean;
}

/**
 * Answers GET and HEAD with files under `root`: ranges, validators, precompressed variants, an index for directories.
 *
 * Nothing outside of the root and no dotfile is sent, unless the options say so. Sockets pass. Under a mount, the path
 * below it counts.
 *
 * @throws GatewayError `GW_STATIC_ROOT` at the start if the root is no directory.
 */
export function serveStatic(options: ServeStaticOptions): Middleware {
  const { fallThrough = true, ...rest } = options;
  const files: FileAnswerOptions = { ...rest, root: resolve(options.root) };
  return layer({
    name: "serveStatic",
    start: () => checkRoot(files.root),
    onRequest(request): MaybePromise<GatewayRequest | Answer> {
      if (request.kind === "websocket") return request;
      if (fallThrough && request.method !== "GET" && request.method !== "HEAD") return request;
      // A 404 holds nothing open.
      return andThen(fileAnswer(request, files), (answer) => (fallThrough && answer.status === 404 ? request : answer));
    },
  });
}

function checkRoot(root: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new GatewayError("GW_STATIC_ROOT", 500, `${root} is no directory`);
}
