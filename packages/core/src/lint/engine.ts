// Lint around an app or between layers: checks what passes, in each direction, and names the side at fault.
import type { App, AppSource, Handler, Middleware, Status } from "../model/app.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { isPromise } from "../pipeline/and-then.ts";
import { toApp } from "../pipeline/app-source.ts";
import { inheritOrigin } from "../pipeline/async-origin.ts";
import { describeApp } from "../pipeline/compose.ts";
import { startOnce, stopOnce } from "../pipeline/lifecycle.ts";
import { type Answered, answerRules } from "./answer-rules.ts";
import { lintedAnswer } from "./linted-answer.ts";
import { lintedRequestBody, type Side, type Tell } from "./linted-body.ts";
import { edgeRules, requestRules } from "./request-rules.ts";
import { checkRules, LintError, type LintErrorCode, type LintRule } from "./rule.ts";
import { use } from "./use-rules.ts";

/** How to lint. */
export interface LintOptions {
  /** Who calls: named when a request is wrong or an answer is misused. @default "the carrier" */
  outer?: string;
  /** Who answers: named when an answer is wrong. @default what the app says of itself, else "the app" */
  inner?: string;
  /** Whether requests come straight from a carrier, so that identity headers must be gone. @default false */
  edge?: boolean;
  /** Further rules on requests, after those of the model. @default none */
  requestRules?: readonly LintRule<GatewayRequest>[];
  /** Further rules on answers, after those of the model. @default none */
  answerRules?: readonly LintRule<Answered>[];
  /** Takes each broken rule. @default throws the error where the fault shows; at the end of an exchange, where nobody could catch it, logs it */
  report?: (error: LintError) => void;
}

/**
 * The app, checked: what it is asked, what it answers, how the answer is sent and that it is closed.
 *
 * Sync stays sync. Requests and answers that pass are frozen copies, so a layer that writes to one fails at that line.
 * Costs microseconds per request: for tests and `gw dev`.
 *
 * @throws LintError `GW_LINT_REQUEST`, `GW_LINT_ANSWER`, `GW_LINT_BODY`, `GW_LINT_CLOSE`, from the handler, the body or `close`
 */
export function lint(source: AppSource, options: LintOptions = {}): App {
  const app = toApp(source);
  const { name } = describeApp(app);
  const inner = options.inner ?? (name === "app" ? "the app" : name);
  return {
    handle: boundary(app.handle, { ...options, inner }),
    start: (context) => startOnce(app, context),
    stop: (deadline) => stopOnce(app, deadline),
    ...(app.reload && { reload: () => (app.reload as () => Promise<void>)() }),
    describe: () => describeApp(app),
    ...(app.status && { status: () => (app.status as () => Status)() }),
  };
}

/**
 * The layers with a check before, between and behind them, so that each fault is pinned on one of them:
 * `compose(lintLayers([session, auth]), app)`.
 */
export function lintLayers(layers: readonly Middleware[], options: LintOptions = {}): readonly Middleware[] {
  const exchanges = new WeakSet<object>();
  const nameOf = (layer: Middleware | undefined): string | undefined => layer && (layer.layerName ?? layer.name);
  const checkBefore = (at: number): Middleware => {
    const outer = nameOf(layers[at - 1]) ?? options.outer ?? "the carrier";
    const inner = nameOf(layers[at]) ?? options.inner ?? "the app";
    const check = (next: Handler): Handler => {
      const checked = boundary(next, { ...options, edge: at === 0 && (options.edge ?? false), outer, inner });
      return sharingExchange(checked, { exchanges, isFirst: at === 0, outer, report: options.report });
    };
    return Object.assign(check, { layerName: `lint ${inner}` });
  };
  return [...layers.flatMap((layer, at) => [checkBefore(at), layer]), checkBefore(layers.length)];
}

const codes: Readonly<Record<string, LintErrorCode>> = {
  "request-body-chunk": "GW_LINT_REQUEST",
  "request-body-length": "GW_LINT_REQUEST",
  "exchange-shared": "GW_LINT_REQUEST",
  "close-once": "GW_LINT_CLOSE",
  "close-called": "GW_LINT_CLOSE",
};

/** The handler with a check around it. */
function boundary(handle: Handler, options: LintOptions & { inner: string }): Handler {
  const { outer = "the carrier", inner, edge = false, report = raise } = options;
  const layerOf = (side: Side): string => (side === "outer" ? outer : inner);
  const onRequest = [...requestRules, ...(edge ? edgeRules : []), ...(options.requestRules ?? [])];
  const onAnswer = [...answerRules, ...(options.answerRules ?? [])];
  const tellOn =
    ({ exchange }: GatewayRequest): Tell =>
    (side, rule, found) => {
      const error = new LintError(codes[rule.id] ?? "GW_LINT_BODY", rule, layerOf(side), found);
      if (options.report === undefined && rule === use.closed) exchange.log.error({ err: error }, error.message);
      else report(error);
    };
  return (request) => {
    const isRight = checkRules(onRequest, request, { code: "GW_LINT_REQUEST", layer: outer, report });
    const tell = tellOn(request);
    const given = isRight ? frozen(request, tell) : request;
    const finish = (answer: Answer): Answer => {
      const answered = { request, answer };
      const isAnswer = checkRules(onAnswer, answered, { code: "GW_LINT_ANSWER", layer: inner, report });
      return isAnswer ? lintedAnswer(answer, request, tell) : answer;
    };
    const answer = handle(given);
    return isPromise(answer) ? inheritOrigin(answer.then(finish), answer) : finish(answer);
  };
}

function raise(error: LintError): never {
  throw error;
}

function frozen(request: GatewayRequest, tell: Tell): GatewayRequest {
  return Object.freeze({ ...request, body: lintedRequestBody(request.body, tell) });
}

interface Sharing {
  /** Exchanges that came through the first check. */
  readonly exchanges: WeakSet<object>;
  readonly isFirst: boolean;
  readonly outer: string;
  readonly report: LintOptions["report"];
}

function sharingExchange(next: Handler, { exchanges, isFirst, outer, report = raise }: Sharing): Handler {
  return (request) => {
    if (isFirst) exchanges.add(request.exchange);
    else if (!exchanges.has(request.exchange)) {
      report(new LintError("GW_LINT_REQUEST", use.exchangeShared, outer, "an exchange of its own"));
    }
    return next(request);
  };
}
