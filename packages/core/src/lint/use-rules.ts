// What happens to bodies and answers once they were given, as sentences; linted-answer.ts and linted-body.ts check them.
import type { LintSentence } from "./rule.ts";

type UseRule =
  | "requestChunk"
  | "requestLength"
  | "exchangeShared"
  | "chunk"
  | "length"
  | "once"
  | "order"
  | "message"
  | "run"
  | "closeOnce"
  | "closed";

/** Sentences about how a request's body is read and an answer is sent. */
export const use: Readonly<Record<UseRule, LintSentence>> = {
  requestChunk: {
    id: "request-body-chunk",
    sentence: "Each chunk of a request's body is a Uint8Array.",
  },
  requestLength: {
    id: "request-body-length",
    sentence: "A request's body has the length it announces, or fails.",
  },
  exchangeShared: {
    id: "exchange-shared",
    sentence: "All copies of a request share its exchange.",
  },
  chunk: {
    id: "body-chunk",
    sentence: "Each chunk of an answer's body is a Uint8Array.",
  },
  length: {
    id: "body-length",
    sentence: "A body has as many bytes as Content-Length says.",
  },
  once: {
    id: "body-once",
    sentence: "A body is iterated at most once.",
  },
  order: {
    id: "body-order",
    sentence: "A chunk is asked for when the one before has come, and not after the end or after `close`.",
  },
  message: {
    id: "accept-message",
    sentence: "A message sent to a socket is a string or a Uint8Array.",
  },
  run: {
    id: "accept-run-once",
    sentence: "An accepted socket is run at most once, and not after `close`.",
  },
  closeOnce: {
    id: "close-once",
    sentence: "An answer is closed at most once.",
  },
  closed: {
    id: "close-called",
    sentence: "Who was given an answer sends it or discards it: by the end of the exchange it is closed.",
  },
};
