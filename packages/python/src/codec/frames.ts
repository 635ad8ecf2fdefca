// The frames between the gateway and a Python worker: their numbers and limits. docs/python.md has the whole protocol.

/** Frames that the gateway sends. */
export const TO_PYTHON = {
  REQUEST: 0,
  BODY: 1,
  GONE: 2,
  CREDIT: 3,
  SOCKET: 4,
  MESSAGE: 5,
  CLOSED: 6,
  PING: 7,
  OPENED: 8,
  DRAIN: 9,
} as const;

/** Frames that a worker sends. */
export const FROM_PYTHON = {
  FULL: 1,
  HEAD: 2,
  CHUNK: 3,
  LAST: 4,
  CREDIT: 5,
  FAIL: 6,
  TRAILERS: 7,
  FILE: 8,
  EARLY: 9,
  ACCEPT: 10,
  MESSAGE: 11,
  CLOSE: 12,
  BUSY: 13,
  READY: 20,
  FAILED: 21,
  PONG: 22,
  FILES: 23,
  LIMIT: 24,
} as const;

/** The version both sides must have. */
export const PROTOCOL = 1;

/** Top bit of a length: a raw body frame, not a batch. */
export const RAW = 0x8000_0000;

/** Length, stream and kind of a raw frame, bytes. */
export const RAW_HEAD_BYTES = 12;

/** Bit of a raw BODY frame: more of the body follows. */
export const MORE = 0x100;

/** Bodies longer than this go as raw frames, bytes. */
export const RAW_FROM_BYTES = 32_768;

/** Bytes of a request, or of a socket's messages to the app, that may be under way. */
export const WINDOW_BYTES = 262_144;

/** Bytes of an answer that may be under way: an app waits for credit less often than a client that sends. */
export const ANSWER_WINDOW_BYTES = 524_288;

/** What a message of a socket counts for beside its own bytes: many small ones fill memory, too. */
export const MESSAGE_COST_BYTES = 128;

/** Longest batch, bytes. */
export const MAX_BATCH_BYTES = 67_108_864;

/** Frames in a batch before it is sent. */
export const MAX_BATCH_FRAMES = 8;
