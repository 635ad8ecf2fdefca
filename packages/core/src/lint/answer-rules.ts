// The answer model, as rules. They are the inner side's to keep: the app's, or the layer's that changed the answer.
import { checkResponseHead } from "../headers/check.ts";
import { isHopByHop } from "../headers/hop-by-hop.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer, HttpResponse, WebSocketAccept } from "../model/response.ts";
import { hasMethods, show, whyNotHeaders, whyNotPlain } from "./found.ts";
import type { LintRule } from "./rule.ts";

/** An answer together with the request it answers. */
export interface Answered {
  readonly request: GatewayRequest;
  readonly answer: Answer;
}

type AnswerRule = LintRule<Answered>;

/** A rule about responses only. */
function forResponse(check: (answer: HttpResponse, request: GatewayRequest) => string | null): AnswerRule["check"] {
  return ({ answer, request }) => (answer.kind === "response" ? check(answer, request) : null);
}

/** A rule about accepted sockets only. */
function forAccept(check: (answer: WebSocketAccept, request: GatewayRequest) => string | null): AnswerRule["check"] {
  return ({ answer, request }) => (answer.kind === "accept" ? check(answer, request) : null);
}

function whyNotBody(body: unknown): string | null {
  if (body === null || body instanceof Uint8Array) return null;
  if (typeof body === "string") return `${show(body)}; encode text with encodeText()`;
  return hasMethods(body, Symbol.asyncIterator) || hasMethods(body, Symbol.iterator) ? null : show(body);
}

function whyNotHead(answer: HttpResponse): string | null {
  try {
    checkResponseHead(answer);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const isOptionalFunction = (value: unknown): boolean => value === undefined || typeof value === "function";

const both: readonly AnswerRule[] = [
  {
    id: "answer-plain",
    sentence: "An answer is a plain record: own properties only, no getters, no class.",
    check: ({ answer }) => whyNotPlain(answer),
  },
  {
    id: "answer-kind",
    sentence: "`kind` is `response` or `accept`.",
    check: ({ answer: { kind } }) => (kind === "response" || kind === "accept" ? null : show(kind)),
  },
  {
    id: "answer-headers",
    sentence: "`headers` is a HeaderList of legal names and values.",
    check: ({ answer: { headers } }) => whyNotHeaders(headers),
  },
  {
    id: "answer-close",
    sentence: "`close`, if there is one, is a function.",
    check: ({ answer: { close } }) => (isOptionalFunction(close) ? null : show(close)),
  },
  {
    id: "answer-for-socket",
    sentence: "Only a socket's opening is accepted; what refuses it has a status of 300 or more.",
    check({ answer, request: { kind } }) {
      if (answer.kind === "accept") return kind === "websocket" ? null : "a request was accepted as a socket";
      return kind === "websocket" && answer.status < 300 ? `an opening was answered with ${show(answer.status)}` : null;
    },
  },
];

const responses: readonly AnswerRule[] = [
  {
    id: "answer-status",
    sentence: "`status` is an integer from 200 to 599.",
    check: forResponse(({ status }) =>
      Number.isInteger(status) && status >= 200 && status <= 599 ? null : show(status),
    ),
  },
  {
    id: "answer-body",
    sentence: "`body` is null, a Uint8Array, or an iterable of Uint8Array, sync or async.",
    check: forResponse(({ body }) => whyNotBody(body)),
  },
  {
    id: "answer-head",
    sentence:
      "No field concerns the connection, Content-Length is there once at most and right, and a 204 or 304 has no body.",
    check: forResponse(whyNotHead),
  },
  {
    id: "answer-trailers",
    sentence: "`trailers`, if there is one, is a function.",
    check: forResponse(({ trailers }) => (isOptionalFunction(trailers) ? null : show(trailers))),
  },
];

const RESERVED = /^(?:sec-websocket-.*|content-length|content-type)$/;

const accepts: readonly AnswerRule[] = [
  {
    id: "accept-run",
    sentence: "`run` is a function.",
    check: forAccept(({ run }) => (typeof run === "function" ? null : show(run))),
  },
  {
    id: "accept-subprotocol",
    sentence: "`subprotocol` is one that the client offered, or null.",
    check: forAccept(({ subprotocol }, request) => {
      const offered = request.kind === "websocket" ? request.subprotocols : [];
      return subprotocol === null || offered.includes(subprotocol) ? null : show(subprotocol);
    }),
  },
  {
    id: "accept-headers",
    sentence: "The fields of an accepting answer leave the handshake and the connection to the carrier.",
    check: forAccept(({ headers }) => {
      const names = headers.toFlat().filter((_, at) => at % 2 === 0);
      return names.find((name) => RESERVED.test(name.toLowerCase()) || isHopByHop(name.toLowerCase())) ?? null;
    }),
  },
];

/** The rules of an answer. */
export const answerRules: readonly AnswerRule[] = [...both, ...responses, ...accepts];
