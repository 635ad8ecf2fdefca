// Alternatives: the first layer that lets the request through wins.
import type { Handler, Middleware } from "../model/app.ts";
import { type GatewayError, isGatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { type StateKey, stateKey } from "../model/state.ts";
import { andThen, isPromise } from "./and-then.ts";
import { inheritOrigin } from "./async-origin.ts";
import { discard } from "./discard.ts";
import { errorAnswer } from "./error-answer.ts";
import { type GroupLife, groupLife } from "./every.ts";
import { notesIfAny } from "./notes.ts";

/**
 * Tries layers in order until one lets the request through: `some(session, basicAuth)`.
 *
 * A layer refuses by answering 4xx (or throwing such a GatewayError) without
 * calling the app; then the next one is tried. Anything else it answers, a
 * redirect to a login page for example, is final, and so is what the app
 * answers. If all refuse, the last refusal is sent; when it is a 401, it
 * carries the `WWW-Authenticate` challenges of all (RFC 9110 §11.6.1).
 * Other errors, a store that is down for example, are thrown: no layer is
 * passed because another one broke.
 */
export function some(...layers: readonly Middleware[]): Middleware {
  if (layers.length === 0) throw new TypeError("some() needs at least one layer");
  return Object.assign<Middleware, GroupLife>((next) => alternatives(layers, next), groupLife("some", layers));
}

/** Whether the layer under trial has called the app. */
interface Trial {
  isThrough: boolean;
}

type Refusal = { readonly answer: Answer & { kind: "response" } } | { readonly error: GatewayError };

function alternatives(layers: readonly Middleware[], next: Handler): Handler {
  // The key is this group's own: groups sit inside each other, and dispatch runs one inside itself.
  const trialKey: StateKey<Trial> = stateKey(`gw.some.${crypto.randomUUID()}`);
  const inner: Handler = (request) => {
    const trial = request.state.get(trialKey);
    if (trial !== undefined) trial.isThrough = true;
    return next(request);
  };
  const handlers = layers.map((layer) => layer(inner));

  const tryFrom = (at: number, request: GatewayRequest, challenges: readonly string[]): MaybePromise<Answer> => {
    const trial: Trial = { isThrough: false };
    const userBefore = notesIfAny(request.exchange)?.principal ?? null;
    const settle = (result: Answer | Refusal): MaybePromise<Answer> => {
      const refusal = "kind" in result ? asRefusal(result, trial) : result;
      if (refusal === null) return result as Answer;
      // A layer may have found a user before another one of its group refused.
      const notes = notesIfAny(request.exchange);
      if (notes !== null) notes.principal = userBefore;
      const known = [...challenges, ...challengesOf(refusal)];
      if (at + 1 === handlers.length) return lastWord(refusal, known, request);
      const released = "answer" in refusal ? discard(refusal.answer) : undefined;
      return andThen(released, () => tryFrom(at + 1, request, known));
    };
    const recover = (error: unknown): Refusal => {
      if (!trial.isThrough && isGatewayError(error) && error.status < 500) return { error };
      throw error;
    };
    const tried = { ...request, state: request.state.with(trialKey, trial) };
    let result: MaybePromise<Answer>;
    try {
      result = (handlers[at] as Handler)(tried);
    } catch (error) {
      return settle(recover(error));
    }
    return isPromise(result)
      ? inheritOrigin(result.then<Answer | Refusal, Refusal>(undefined, recover).then(settle), result)
      : settle(result);
  };
  return (request) => tryFrom(0, request, []);
}

function asRefusal(answer: Answer, { isThrough }: Trial): Refusal | null {
  if (isThrough || answer.kind !== "response" || answer.status < 400 || answer.status > 499) return null;
  return { answer };
}

function challengesOf(refusal: Refusal): string[] {
  const { status, headers } = "answer" in refusal ? refusal.answer : refusal.error;
  return status === 401 && headers !== null ? HeaderList.from(headers).getAll("www-authenticate") : [];
}

function lastWord(refusal: Refusal, challenges: readonly string[], request: GatewayRequest): Answer {
  const answer = "answer" in refusal ? refusal.answer : errorAnswer(refusal.error, request);
  if (answer.status !== 401 || challenges.length === 0) return answer;
  const headers = HeaderList.from([
    ...answer.headers.without("www-authenticate"),
    ...[...new Set(challenges)].map((one) => ["WWW-Authenticate", one] as const),
  ]);
  return { ...answer, headers };
}
