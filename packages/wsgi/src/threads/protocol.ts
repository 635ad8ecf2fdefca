// What the gateway and a thread say to each other.

/** Kinds of records to the thread that runs the app. */
export const TO_APP = {
  /** A request: what `writeRequest` gives; bytes: its body, if that does not come later. */
  REQUEST: 1,
  /** A piece of its body. */
  BODY: 2,
  BODY_END: 3,
  /** The body could not be read; text: the error. */
  BODY_FAIL: 4,
  /** The client has taken `a` bytes of the answer. */
  CREDIT: 5,
  /** Nobody waits for the answer any more. */
  GONE: 6,
  /** Nothing follows: the app is told of its end. */
  STOP: 7,
  /** Asks for a sign of life. */
  PING: 8,
} as const;

/** Kinds of records from it. */
export const FROM_APP = {
  /** `a` status, texts: header lines, bytes: the body; `b`: what of the body there is (`BODY`). */
  HEAD: 1,
  /** A piece of the body. */
  CHUNK: 2,
  /** The body has ended. */
  END: 3,
  /** The app has failed; text: the error. */
  FAIL: 4,
  /** Early hints; texts: header lines. */
  EARLY: 5,
  /** The app wants `a` bytes more of the request's body. */
  WANT: 6,
  /** A line of the log; `a` its level, texts: message, facts. */
  LOG: 7,
  /** Trailers; texts: header lines. */
  TRAILERS: 8,
  /** The app is done with the request, `close()` included. */
  DONE: 9,
  /** The app is loaded; text: its name. */
  READY: 10,
  /** It cannot be loaded; text: the error. */
  FAILED: 11,
  /** It has stopped. */
  STOPPED: 12,
  /** The sign of life. */
  PONG: 13,
} as const;

/** What a HEAD record says of the body. */
export const BODY = { NONE: 0, WHOLE: 1, FOLLOWS: 2 } as const;
/** Added to it where the app is done with the request, so that no DONE follows. */
export const FINISHED = 4;

/** Words of a thread in shared memory: what it does now, readable even if it never comes back. */
export const STATE = {
  /** The request whose code runs; 0: none. */
  CURRENT: 0,
  /** Grows with each step into the app's code. */
  STEPS: 1,
  /** 1: it waits for a client, not the other way round. */
  WAITING: 2,
  /** About what a request costs it, microseconds; a dear one counts at once. */
  COST_US: 3,
  /** From here on: the requests that were sent and may still be taken back; 0: there is none at this place. */
  PLACES: 16,
} as const;

/** Requests that may be in a thread, begun or not, beside those whose answers are walked. */
export const MAX_PLACES = 64;

/** The place of the request with this number. */
export function placeOf(id: number): number {
  return id % MAX_PLACES;
}

/** Bytes of an answer that may be under way to a client that has not taken them (R-W7). */
export const WINDOW_BYTES = 262_144;

/** Longest piece of a body in one record. */
export const PIECE_BYTES = 65_536;

/** Memory for the words of a thread. */
export function stateMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((STATE.PLACES + MAX_PLACES) * 4);
}
