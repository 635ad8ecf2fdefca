// What events must look like, in both directions, as rules.
import type { LintRule } from "@gw/core/lint";
import { badPairs, firstHeader, isDict, show } from "./found.ts";

/** An event on a channel, unchecked. */
export interface EventSubject {
  /** Type of the scope it belongs to. */
  readonly scope: string;
  readonly event: Readonly<Record<string, unknown>>;
}

const DICT: LintRule<EventSubject> = {
  id: "asgi-event-dict",
  sentence: "Each event is a dict with a top-level type key that contains a Unicode string of the message type.",
  check: ({ event }) => (isDict(event) && typeof event.type === "string" ? null : show(event)),
};

/** The rules for what `receive` gives. They are the server's to keep. */
export const receiveRules: readonly LintRule<EventSubject>[] = [
  DICT,
  {
    id: "asgi-receive-type",
    sentence:
      "In messages, the type should be namespaced as protocol.message_type, where the protocol matches the scope type",
    check: ({ scope, event }) =>
      String(event.type).startsWith(`${scope}.`) ? null : `${show(event.type)} in a ${scope} scope`,
  },
  {
    id: "asgi-request-body",
    sentence: 'body (byte string): Body of the request. Optional; if missing defaults to b"".',
    check: ({ event }) => (event.type !== "http.request" || isOptionalBytes(event.body) ? null : show(event.body)),
  },
  {
    id: "asgi-request-more",
    sentence: "more_body (bool): Signifies if there is additional content to come",
    check: ({ event }) =>
      event.type !== "http.request" || isOptionalFlag(event.more_body) ? null : show(event.more_body),
  },
  {
    id: "asgi-receive-one",
    sentence: "Exactly one of bytes or text must be non-None.",
    check: ({ event }) => (event.type === "websocket.receive" ? notOne(event) : null),
  },
  {
    id: "asgi-disconnect-code",
    sentence:
      "code (int): The WebSocket close code, as per the WebSocket spec. If no code was received in the frame from the client, the server should set this to 1005",
    check: ({ event }) =>
      event.type !== "websocket.disconnect" || Number.isInteger(event.code) ? null : show(event.code),
  },
];

/** The rules for what an app sends. They are the app's to keep. */
export const sendRules: readonly LintRule<EventSubject>[] = [
  DICT,
  {
    id: "asgi-send-type",
    sentence:
      "In messages, the type should be namespaced as protocol.message_type, where the protocol matches the scope type",
    check: ({ scope, event }) =>
      String(event.type).startsWith(`${scope}.`) ? null : `${show(event.type)} in a ${scope} scope`,
  },
  {
    id: "asgi-send-status",
    sentence: "status (int): HTTP status code.",
    check: ({ event }) => (!isStart(event) || Number.isInteger(event.status) ? null : show(event.status)),
  },
  {
    id: "asgi-send-headers",
    sentence:
      "headers: An iterable of [name, value] two-item iterables, where name is the header name, and value is the header value. (byte strings)",
    check: ({ event }) => badPairs(event.headers),
  },
  {
    id: "asgi-send-header-case",
    sentence: "Header names must be lowercased.",
    check: ({ event }) => firstHeader(event.headers, (name) => name !== name.toLowerCase()),
  },
  {
    id: "asgi-send-pseudo-headers",
    sentence: "Pseudo headers (present in HTTP/2 and HTTP/3) must not be present.",
    check: ({ event }) => firstHeader(event.headers, (name) => name.startsWith(":")),
  },
  {
    id: "asgi-send-subprotocol",
    sentence: "Must not include a header named sec-websocket-protocol; use the subprotocol key instead.",
    check({ event }) {
      if (event.type !== "websocket.accept") return null;
      return firstHeader(event.headers, (name) => name.toLowerCase() === "sec-websocket-protocol");
    },
  },
  {
    id: "asgi-send-body",
    sentence: "body (byte string): HTTP body content.",
    check: ({ event }) => (!isBody(event) || isOptionalBytes(event.body) ? null : show(event.body)),
  },
  {
    id: "asgi-send-more",
    sentence:
      "more_body (bool): Signifies if there is additional content to come (as part of a Response Body message).",
    check: ({ event }) => (!isBody(event) || isOptionalFlag(event.more_body) ? null : show(event.more_body)),
  },
  {
    id: "asgi-send-one",
    sentence: "Exactly one of bytes or text must be non-None.",
    check: ({ event }) => (event.type === "websocket.send" ? notOne(event) : null),
  },
  {
    id: "asgi-send-message",
    sentence: 'message (Unicode string): Optional; if missing defaults to "".',
    check({ event }) {
      const isFailure = /^lifespan\.(?:startup|shutdown)\.failed$/.test(String(event.type));
      return !isFailure || event.message === undefined || typeof event.message === "string"
        ? null
        : show(event.message);
    },
  },
];

function isStart({ type }: EventSubject["event"]): boolean {
  return type === "http.response.start" || type === "websocket.http.response.start";
}

function isBody({ type }: EventSubject["event"]): boolean {
  return type === "http.response.body" || type === "websocket.http.response.body";
}

function isOptionalBytes(value: unknown): boolean {
  return value === undefined || value instanceof Uint8Array;
}

function isOptionalFlag(value: unknown): boolean {
  return value === undefined || typeof value === "boolean";
}

function notOne({ text, bytes }: EventSubject["event"]): string | null {
  const given = [text, bytes].filter((value) => value !== undefined && value !== null).length;
  const isRight = given === 1 && (typeof text === "string" || bytes instanceof Uint8Array);
  return isRight ? null : `text ${show(text)}, bytes ${show(bytes)}`;
}
