// Every carrier there is, for a test that must hold on all of them.
import type { Carrier } from "./carrier.ts";
import { cgiProgramCarrier } from "./carriers/cgi-program.ts";
import { fastcgiCarrier } from "./carriers/fastcgi.ts";
import { http1Carrier } from "./carriers/http1.ts";
import { http2Carrier } from "./carriers/http2.ts";
import { memoryCarrier } from "./carriers/memory.ts";

/** What the carriers need to know. */
export interface EveryCarrierOptions {
  /** Command that runs a module's app as a CGI program: `["node", "…/gw.js", "cgi"]`. Without it, that carrier is left out. */
  cgiCommand?: readonly [program: string, ...args: readonly string[]];
}

/** All carriers: in memory, HTTP/1.1, HTTP/2, FastCGI, and, given its command, CGI program. */
export function everyCarrier({ cgiCommand }: EveryCarrierOptions = {}): readonly Carrier[] {
  return [
    memoryCarrier(),
    http1Carrier(),
    http2Carrier(),
    fastcgiCarrier(),
    ...(cgiCommand === undefined ? [] : [cgiProgramCarrier({ command: cgiCommand })]),
  ];
}
