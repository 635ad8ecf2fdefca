// The public names of targets, for the package's entry.
export { addressKey } from "./address-key.ts";
export { type Authority, parseAuthority } from "./authority.ts";
export { parseIp, plainIp } from "./ip-address.ts";
export { splitMount, underMount } from "./mount.ts";
export { type ParsedTarget, parseTarget } from "./parse.ts";
export { decodePercent, normalizePath, resolveSegments } from "./path.ts";
export { type PeerList, peerList } from "./peer-list.ts";
export { encodePath, pathText, queryText, rawPath } from "./raw.ts";
