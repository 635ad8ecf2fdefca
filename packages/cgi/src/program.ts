// Be a CGI program: one request from the environment and standard input, one answer to standard output (RFC 3875).
import {
  type AppContext,
  type AppSource,
  checkResponseHead,
  createContext,
  discard,
  encodeText,
  errorAnswer,
  type HttpRequest,
  type HttpResponse,
  isGatewayError,
  OpenExchange,
  type Outcome,
  type ReadVariablesOptions,
  Runtime,
  reasonPhrase,
} from "@gw/core";
import { CgiError } from "./errors.ts";
import { isOneSocket, ProgramInput } from "./program-input.ts";
import { ProgramOutput } from "./program-output.ts";
import { programRequest } from "./program-request.ts";
import { keepStdoutForAnswer, ProgramLog } from "./program-stdio.ts";
import { sendAnswer } from "./send-answer.ts";
import { failsOnUnread } from "./server-quirks.ts";

/** How to be a CGI program. */
export interface RunCgiOptions extends ReadVariablesOptions {
  /** Given to the app's `start`; its log gets what goes wrong. @default a context whose log is standard error */
  context?: AppContext;
  /** Limit of the request body, bytes; settable per request as `exchange.maxBodyBytes`. @default 10_000_000 */
  maxBodyBytes?: number;
  /** Time for `afterResponse` tasks and `stop` once the answer is out, and for the app after SIGTERM, milliseconds. @default 5_000 */
  stopTimeoutMs?: number;
}

/**
 * Answers the one request this process was started for, then ends the process: exit code 0 if an answer
 * went out whole (an error page of the app is one), 1 if not.
 *
 * `start` and `stop` of the app run. The request's signal fires on SIGTERM and
 * when the server stops reading. There is no 103, no trailer and no WebSocket.
 */
export async function runCgi(app: AppSource, options: RunCgiOptions = {}): Promise<never> {
  const log = new ProgramLog();
  const { context = createContext({ log: log.logger }), maxBodyBytes, stopTimeoutMs = 5_000 } = options;
  keepStdoutForAnswer();
  const gone = new AbortController();
  const output = new ProgramOutput(1, () => gone.abort(new CgiError("GW_CGI_GONE", "the server stopped reading")));
  const runtime = new Runtime(app, {
    context: { ...context, runsOnce: true },
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
  });
  const exit = async (code: number): Promise<never> => {
    await log.flush();
    process.exit(code);
  };
  endOnSignal(gone, stopTimeoutMs, exit);
  endOnAccident((message, error) => {
    runtime.log.fatal({ err: error }, message);
    output.writeOnly(internalError);
    void exit(1);
  });
  const input = new ProgramInput(0);
  const isAnswered = await answerRequest(runtime, { input, output, signal: gone.signal }, options);
  // A socket that is closed with bytes unread takes what was written with it: Apache's mod_cgid would lose the answer.
  const isShared = isOneSocket(0, 1);
  const mustDrain = (isShared || failsOnUnread(process.env)) && input.isUnread && !gone.signal.aborted;
  await Promise.all([output.end(mustDrain && isShared), mustDrain && input.drain(stopTimeoutMs)]);
  const isStopped = await stopApp(runtime, stopTimeoutMs);
  return exit(isAnswered && isStopped ? 0 : 1);
}

const internalError = encodeText(
  "Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n500 Internal Server Error\n",
);

/** SIGTERM tells the app, then waits for it no longer than the stop time; a second one waits no more. */
function endOnSignal(gone: AbortController, stopTimeoutMs: number, exit: (code: number) => Promise<never>): void {
  let isTold = false;
  process.on("SIGTERM", () => {
    if (isTold) process.exit(1);
    isTold = true;
    gone.abort(new CgiError("GW_CGI_GONE", "the server ended the program"));
    setTimeout(exit, stopTimeoutMs, 1);
  });
}

/** What ends a process without an answer: an error that no handler could catch, or a promise that nothing can settle. */
function endOnAccident(end: (message: string, error: unknown) => void): void {
  process.on("uncaughtException", (error) => end("the app failed outside of its handler", error));
  process.once("beforeExit", () => end("the app waits for something that cannot happen any more", null));
}

/** Whether an answer of the app went out whole. */
async function answerRequest(
  runtime: Runtime,
  { input, output, signal }: { input: ProgramInput; output: ProgramOutput; signal: AbortSignal },
  options: RunCgiOptions,
): Promise<boolean> {
  const exchange = new OpenExchange(runtime);
  let request: HttpRequest;
  try {
    request = programRequest(input, exchange, signal, options);
  } catch (error) {
    runtime.log.error({ err: error }, "the environment holds no request");
    return refuse(error, output);
  }
  const failure = await runtime.start().then(
    () => null,
    (error: unknown) => ({ error }),
  );
  const answer = failure === null ? await answerOf(runtime, request) : errorAnswer(failure.error, request);
  const outcome = await send(answer, request, output);
  exchange.end(outcome);
  return failure === null && outcome.result === "sent";
}

/** Answers what is no request: the client's fault with its own status, any other as 500. Whether it was the former. */
function refuse(error: unknown, output: ProgramOutput): boolean {
  if (!isGatewayError(error) || error.status < 400 || error.status >= 500) {
    output.writeOnly(internalError);
    return false;
  }
  const title = `${error.status} ${reasonPhrase(error.status)}`.trimEnd();
  output.writeOnly(
    encodeText(`Status: ${title}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${title}\n${error.message}\n`),
  );
  return true;
}

async function answerOf(runtime: Runtime, request: HttpRequest): Promise<HttpResponse> {
  const answer = await runtime.answer(request);
  try {
    if (answer.kind === "accept") throw new CgiError("GW_CGI_NO_WEBSOCKET", "a CGI program has no WebSocket to accept");
    checkResponseHead(answer);
    return answer;
  } catch (error) {
    await discard(answer);
    return errorAnswer(error, request);
  }
}

async function send(answer: HttpResponse, request: HttpRequest, output: ProgramOutput): Promise<Outcome> {
  const { status } = answer;
  let bytesSent = 0;
  const write = (chunk: Uint8Array): ReturnType<ProgramOutput["write"]> => {
    bytesSent += chunk.length;
    return output.write(chunk);
  };
  try {
    bytesSent = await sendAnswer(answer, request, { write });
    return { status, bytesSent, result: "sent", error: null };
  } catch (error) {
    if (request.signal.aborted) return { status, bytesSent, result: "gone", error };
    request.exchange.log.error({ err: error }, `${request.method} ${request.target}: the answer was cut`);
    return { status, bytesSent, result: "cut", error };
  }
}

/** Whether the app stopped in time and without an error. */
async function stopApp(runtime: Runtime, stopTimeoutMs: number): Promise<boolean> {
  const deadline = AbortSignal.timeout(stopTimeoutMs);
  const late = new Promise<boolean>((done) => setTimeout(done, stopTimeoutMs + 100, false));
  const stopped = runtime.stop(deadline).then(
    () => true,
    (error: unknown) => {
      runtime.log.error({ err: error }, "the app failed to stop");
      return false;
    },
  );
  return Promise.race([stopped, late]);
}
