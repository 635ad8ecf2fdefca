// The smallest WSGI-shaped app: PEP 3333, in TypeScript.
import type { Environ, StartResponse } from "@gw/wsgi";

export default function application(environ: Environ, startResponse: StartResponse) {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [Buffer.from(`Hello, ${environ.REMOTE_USER ?? "World"}!\n`)];
}
