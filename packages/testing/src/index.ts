// @gw/testing: one test case through every carrier.
export {
  type Ability,
  type CarriedApp,
  type Carrier,
  type ClientAnswer,
  type ClientRequest,
  type CollectedAnswer,
  collect,
  type OpenApp,
} from "./carrier.ts";
export { type CgiProgramCarrierOptions, cgiProgramCarrier } from "./carriers/cgi-program.ts";
export { fastcgiCarrier } from "./carriers/fastcgi.ts";
export { http1Carrier, sendHttp1 } from "./carriers/http1.ts";
export { http2Carrier } from "./carriers/http2.ts";
export { memoryCarrier } from "./carriers/memory.ts";
export { type EveryCarrierOptions, everyCarrier } from "./every-carrier.ts";
