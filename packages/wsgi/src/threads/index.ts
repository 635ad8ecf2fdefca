// @gw/wsgi/threads: the parts that threads are made of, for adapters. Named exports only.
export { AnswerStream, type AnswerStreamEvents } from "./answer-stream.ts";
export { threadRuntime } from "./app-thread.ts";
export { ChannelEnd, type ChannelMemory, channelMemory, type RecordParts } from "./channel.ts";
export { readError, writeError } from "./error-record.ts";
export { appDown, clientGone, headTooLong, threadDied, threadHangs } from "./errors.ts";
export { type AppPlace, loadFunction } from "./load-app.ts";
export { type AppFile, readAppFile } from "./options.ts";
export { threadProgram } from "./package-file.ts";
export { BODY, FINISHED, FROM_APP, PIECE_BYTES, TO_APP, WINDOW_BYTES } from "./protocol.ts";
export { type PlainHead, readRequest, writeRequest } from "./request-record.ts";
export type { RingRecord } from "./ring.ts";
export { logLine, type SendLine, threadLogger } from "./thread-log.ts";
export { readEnviron } from "../read-environ.ts";
