// `gw <app>`: picks the carrier from how the process was started, so that one file runs everywhere.
import type { Invocation } from "../invocation.ts";
import { isCgi } from "../query-words.ts";

/**
 * CGI when the environment is a CGI request's, else HTTP.
 *
 * @throws StartError for a FastCGI program's descriptor 0: answering it in HTTP would only puzzle both sides
 */
export async function run(invocation: Invocation): Promise<number> {
  if (isCgi(invocation.environment)) {
    const { run: answer } = await import("./cgi.ts");
    return answer(invocation);
  }
  await refuseFastcgi(invocation);
  const { run: serve } = await import("./serve.ts");
  return serve(invocation);
}

async function refuseFastcgi({ settings }: Invocation): Promise<void> {
  const { isListeningSocket } = await import("@gw/core/node");
  const { bindsOf } = await import("../serving/server-options.ts");
  if (!isListeningSocket(0) || bindsOf(settings).includes("fd://0")) return;
  const { StartError } = await import("../usage-error.ts");
  throw new StartError(
    "descriptor 0 is a listening socket, so this is to be a FastCGI program, and this version has no FastCGI carrier; for HTTP on that socket say so: gw serve --fd 0",
  );
}
