// The public names of the header rules, for the package's entry.
export { acceptedEncodings } from "./accept-encoding.ts";
export { type ByteRange, selectRanges, writeContentRange } from "./byte-ranges.ts";
export { checkResponseHead, checkTrailers } from "./check.ts";
export { contentLength, parseContentLength } from "./content-length.ts";
export { type Forwarded, type ForwardedTrust, readForwarded } from "./forwarded.ts";
export { isHopByHop, withoutHopByHop } from "./hop-by-hop.ts";
export { parseHttpDate, writeHttpDate } from "./http-date.ts";
export { identityHeaders, isIdentityHeader, scrubIdentity } from "./identity.ts";
export { evaluatePreconditions, rangeApplies, type Validators } from "./preconditions.ts";
export { isBodilessStatus, reasonPhrase } from "./status.ts";
export { isFieldValue, isToken } from "./syntax.ts";
