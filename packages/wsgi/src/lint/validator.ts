// validator: wsgiref.validate for TypeScript. Sits between a server and an app and checks both.
import { checkRules, LintError } from "@gw/core/lint";
import type { Environ, StartResponse, Write, WsgiApp, WsgiIterable } from "../types.ts";
import { type EnvironSubject, environRules } from "./environ-rules.ts";
import { show } from "./found.ts";
import { checkChunk, checkResult, LintResult, type Started } from "./result.ts";
import { hasContentType, startRules } from "./start-rules.ts";
import { LintErrors, LintInput, type Tell } from "./streams.ts";

/** Inputs of `validator`. */
export interface ValidatorOptions {
  /** Called for each broken rule. @default throws the error; where nobody could catch it, writes to wsgi.errors */
  report?: (error: LintError) => void;
}

const ARGUMENTS = {
  id: "wsgi-arguments",
  sentence: "The application object must accept two positional arguments.",
};
const START_CALLABLE = {
  id: "wsgi-start-callable",
  sentence:
    "The start_response parameter is a callable accepting two required positional arguments, and one optional argument.",
};
const WRITE_CALLABLE = {
  id: "wsgi-write-callable",
  sentence: "The start_response callable must return a write(body_data) callable that takes one positional parameter",
};

/**
 * The app, with checks around it: of what the server passes in and of what the app does with it.
 *
 * Each rule carries its sentence of PEP 3333 and names the side at fault.
 * Requests and responses are not changed.
 *
 * @throws LintError `GW_LINT_INTERFACE`, when called or while its result is read, for a broken rule
 */
export function validator(app: WsgiApp, { report }: ValidatorOptions = {}): WsgiApp {
  const appName = `the app ${app.name || "application"}`;
  const toError = (side: "server" | "app", rule: { id: string; sentence: string }, found: string): LintError =>
    new LintError("GW_LINT_INTERFACE", rule, side === "server" ? "the server" : appName, found);
  const raise = (error: LintError): void => {
    if (report === undefined) throw error;
    report(error);
  };
  const tell: Tell = (side, rule, found) => raise(toError(side, rule, found));
  return (...args): WsgiIterable => {
    if (args.length !== 2) tell("server", ARGUMENTS, `${args.length} arguments`);
    const [environ, startResponse] = args;
    checkRules(environRules, environ as object as EnvironSubject, {
      code: "GW_LINT_INTERFACE",
      layer: "the server",
      report: raise,
    });
    if (typeof startResponse !== "function") tell("server", START_CALLABLE, show(startResponse));
    const { "wsgi.errors": errors } = environ;
    const started: Started = { count: 0, hasContentType: false };
    const lintedEnviron = withStreams(environ, tell);
    const result = app(lintedEnviron, lintStart(startResponse, started, { tell, raise, appName }));
    checkResult(result, tell);
    return new LintResult({
      result,
      tell,
      started,
      onDropped(rule) {
        const error = toError("server", rule, "it was dropped");
        if (report === undefined) errors.write(`${error.message}\n`);
        else report(error);
      },
    });
  };
}

/** The app gets the same object, so that what it changes is seen by the server as without lint. */
function withStreams(environ: Environ, tell: Tell): Environ {
  environ["wsgi.input"] = new LintInput(environ["wsgi.input"], tell);
  environ["wsgi.errors"] = new LintErrors(environ["wsgi.errors"], tell);
  return environ;
}

interface Fault {
  readonly tell: Tell;
  readonly raise: (error: LintError) => void;
  readonly appName: string;
}

function lintStart(startResponse: StartResponse, started: Started, { tell, raise, appName }: Fault): StartResponse {
  return (...args) => {
    if (args.length < 2 || args.length > 3)
      tell("app", START_CALLABLE, `${(args as readonly unknown[]).length} arguments`);
    const [status, headers, excInfo] = args;
    const call = { status, headers, excInfo, isAgain: started.count > 0 };
    started.count++;
    started.hasContentType = hasContentType(headers);
    checkRules(startRules, call, { code: "GW_LINT_INTERFACE", layer: appName, report: raise });
    const write = startResponse(...args);
    if (typeof write !== "function") tell("server", WRITE_CALLABLE, show(write));
    return lintWrite(write, started, tell);
  };
}

function lintWrite(write: Write, started: Readonly<Started>, tell: Tell): Write {
  return (...args) => {
    if (args.length !== 1) tell("app", WRITE_CALLABLE, `write(${(args as readonly unknown[]).map(show).join(", ")})`);
    const [data] = args;
    checkChunk(data, started, tell);
    write(data);
  };
}
