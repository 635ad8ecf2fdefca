// `gw <app>`: picks the carrier from how the process was started, so that one file runs everywhere.
import type { Invocation } from "../invocation.ts";
import { isCgi } from "../query-words.ts";
import { run as answerAsCgi } from "./cgi.ts";

/** CGI when the environment is a CGI request's, FastCGI when descriptor 0 is a listening socket (FastCGI 1.0 §2.2), else HTTP. */
export async function run(invocation: Invocation): Promise<number> {
  if (isCgi(invocation.environment)) {
    return answerAsCgi(invocation);
  }
  if (await isFastcgiProgram(invocation)) {
    const { run: respond } = await import("./fastcgi.ts");
    return respond(invocation, { listen: "fd://0" });
  }
  const { run: serve } = await import("./serve.ts");
  return serve(invocation);
}

/** A socket that was bound on purpose, with `--fd 0`, is for HTTP. */
async function isFastcgiProgram({ settings }: Invocation): Promise<boolean> {
  const { isListeningSocket } = await import("@gw/core/node");
  const { bindsOf } = await import("../serving/server-options.ts");
  return isListeningSocket(0) && !bindsOf(settings).includes("fd://0");
}
