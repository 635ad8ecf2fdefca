// Apps tried in order until one has an answer.
import type { App, AppSource, Handler } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { andThen } from "./and-then.ts";
import { toApp } from "./app-source.ts";
import { describeApp, statusOf } from "./compose.ts";
import { discard } from "./discard.ts";
import { errorAnswer } from "./error-answer.ts";
import { guard } from "./guard.ts";
import { lifecycleOf } from "./lifecycle.ts";

/** What `cascade` may be told. */
export interface CascadeOptions {
  /** Statuses that mean "not mine": the next app is tried. @default [404, 405] */
  statuses?: readonly number[];
}

/**
 * Tries apps in order: files first, then the application.
 *
 * The first answer whose status is not in `statuses` is sent; if there is
 * none, the last one. An app that reads the body uses it up for those after
 * it, unless `bufferBody` made it replayable. What an app throws is its answer.
 *
 * @throws GatewayError `GW_NOT_AN_APP`
 */
export function cascade(sources: readonly AppSource[], { statuses = [404, 405] }: CascadeOptions = {}): App {
  const apps = sources.map(toApp);
  const handlers = apps.map(({ handle }) => guard(handle));
  const isMiss = (answer: Answer): boolean => answer.kind === "response" && statuses.includes(answer.status);
  const tryFrom = (at: number, request: GatewayRequest): MaybePromise<Answer> => {
    const settle = (answer: Answer): MaybePromise<Answer> => {
      if (at + 1 >= handlers.length || !isMiss(answer)) return answer;
      return andThen(discard(answer), () => tryFrom(at + 1, request));
    };
    return andThen((handlers[at] as Handler)(request), settle);
  };
  return {
    handle: handlers.length === 0 ? nothingHere : (request) => tryFrom(0, request),
    ...lifecycleOf(apps),
    describe: () => ({ kind: "cascade", name: "cascade", children: apps.map(describeApp) }),
    status: () => statusOf("cascade", apps),
  };
}

const nothingHere: Handler = (request) =>
  errorAnswer(new GatewayError("GW_NOT_FOUND", 404, "there is no app here"), request);
