// CGI without a process for each request: variables in and a block out, by the rules that a CGI program of ours follows.
// The matrix of layers runs every cell through it, and a row of each kind of app through real processes besides.
import {
  type Answer,
  checkResponseHead,
  discard,
  emptyState,
  errorAnswer,
  GatewayError,
  HeaderList,
  type HttpRequest,
  type HttpResponse,
  incomingBody,
  isBodiless,
  OpenExchange,
  pumpBody,
  type Runtime,
  readVariables,
  withoutTrailers,
  writeAnswerBlock,
} from "@gw/core";
import type { ClientRequest } from "@gw/testing";
import { cgiVariables } from "../../packages/testing/src/cgi-variables.ts";

/** An answer that was read to its end. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
}

/** Sends a request as the variables of RFC 3875, and reads the block and the body that come of it. */
export async function sendByCgiRules(runtime: Runtime, request: ClientRequest): Promise<WholeAnswer> {
  const exchange = new OpenExchange(runtime);
  const { contentLength, ...head } = readVariables(cgiVariables(request), {});
  const body = incomingBody({ length: contentLength ?? 0, exchange, open: () => chunksOf(request.body) });
  const read: HttpRequest = { ...head, body, state: emptyState, signal: new AbortController().signal, exchange };
  const answer = await sendable(await runtime.answer(read), read);
  const sent = [writeAnswerBlock(answer)];
  let bytesSent = 0;
  if (isBodiless(read.method, answer.status)) await discard(answer);
  else {
    const write = (chunk: Uint8Array): void => void sent.push(Buffer.from(chunk));
    ({ bytesSent } = await pumpBody(withoutTrailers(answer), { write, signal: read.signal }));
  }
  exchange.end({ status: answer.status, bytesSent, result: "sent", error: null });
  return readBlock(Buffer.concat(sent).toString("latin1"));
}

async function* chunksOf(body: ClientRequest["body"]): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array && body.length > 0) yield body;
}

/** What a program of ours does with an answer: a socket has no place in CGI. */
async function sendable(answer: Answer, request: HttpRequest): Promise<HttpResponse> {
  if (answer.kind === "response") {
    checkResponseHead(answer);
    return answer;
  }
  await discard(answer);
  return errorAnswer(new GatewayError("GW_CGI_NO_WEBSOCKET", 500, "a CGI program has no WebSocket to accept"), request);
}

/** Reads what a program has written, by hand: not with the reader of our own host side. */
function readBlock(output: string): WholeAnswer {
  const end = output.indexOf("\r\n\r\n");
  const lines = output.slice(0, end).split("\r\n");
  const pairs = lines.map((line) => line.split(/:[ \t]*(.*)/s).slice(0, 2) as [string, string]);
  const status = pairs.find(([name]) => name.toLowerCase() === "status")?.[1] ?? "200";
  const headers = HeaderList.from(pairs.filter(([name]) => name.toLowerCase() !== "status"));
  return { status: Number.parseInt(status, 10), headers, text: output.slice(end + 4) };
}
