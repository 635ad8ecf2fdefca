// The public names of bodies, for the package's entry.
export { type BufferBodyOptions, bufferBody, memoryBody, type Spool, type SpoolStore } from "./buffer.ts";
export { type ExclusiveBody, hasExclusiveChunks } from "./exclusive.ts";
export { type IncomingBodyOptions, incomingBody } from "./incoming.ts";
export { type ChunkTransform, type MapBodyOptions, mapBody, type StreamTransform } from "./map.ts";
export { type PumpResult, type PumpTarget, pumpBody } from "./pump.ts";
export { type ReadJsonOptions, type ReadOptions, readBytes, readForm, readJson, readText } from "./readers.ts";
export { type ArrivingBody, type BodyPace, BodyTimer } from "./timer.ts";
