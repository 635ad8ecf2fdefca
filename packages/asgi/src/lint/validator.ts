// validator: the ASGI documents as checks, between a server and an app.
import { checkRules, LintError, type LintRule } from "@gw/core/lint";
import type { AsgiApp, Receive, Send } from "../app.ts";
import { rejected } from "../errors.ts";
import { type EventSubject, receiveRules, sendRules } from "./event-rules.ts";
import { SendOrder } from "./order.ts";
import { type ScopeSubject, scopeRules } from "./scope-rules.ts";

/** Inputs of `validator`. */
export interface ValidatorOptions {
  /** Called for each broken rule. @default throws the error out of the app, `receive` or `send` */
  report?: (error: LintError) => void;
}

/**
 * The app, with checks around it: of its scope, of the events it gets and of those it sends, and of their order.
 *
 * Each rule carries its sentence of the documents and names the side at fault. Nothing is changed on the way.
 *
 * @throws LintError `GW_LINT_INTERFACE` for a broken rule
 */
export function validator(app: AsgiApp, { report }: ValidatorOptions = {}): AsgiApp {
  const appName = `the app ${app.name || "application"}`;
  const raise = (error: LintError): void => {
    if (report === undefined) throw error;
    report(error);
  };
  const check = <Subject>(rules: readonly LintRule<Subject>[], subject: Subject, layer: string): void => {
    checkRules(rules, subject, { code: "GW_LINT_INTERFACE", layer, report: raise });
  };
  return async (scope, receive, send) => {
    check(scopeRules, scope as object as ScopeSubject, "the server");
    const order = new SendOrder(scope.type);
    const lintedReceive: Receive = async () => {
      const event = await receive();
      check(receiveRules, { scope: scope.type, event: event as object as EventSubject["event"] }, "the server");
      return event;
    };
    const lintedSend: Send = (event) => {
      try {
        check(sendRules, { scope: scope.type, event: event as object as EventSubject["event"] }, appName);
        const finding = order.next(event as object as EventSubject["event"]);
        if (finding !== null) raise(new LintError("GW_LINT_INTERFACE", finding.rule, appName, finding.found));
      } catch (error) {
        return rejected(error);
      }
      return send(event);
    };
    await app(scope, lintedReceive, lintedSend);
    const left = order.returned();
    if (left !== null) raise(new LintError("GW_LINT_INTERFACE", left.rule, appName, left.found));
  };
}
