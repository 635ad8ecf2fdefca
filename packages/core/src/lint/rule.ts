// Rules: sentences of a specification that can be checked.
import { GatewayError } from "../model/errors.ts";

/** One sentence of a specification. */
export interface LintSentence {
  /** Stable name, such as `request-path`. */
  readonly id: string;
  /** The sentence, as it stands in the specification. */
  readonly sentence: string;
}

/** A sentence about a value, and how to check it. */
export interface LintRule<Subject> extends LintSentence {
  /** What was found instead, in a few words; `null` if the rule is kept. May assume that the rules before it in its list are kept. */
  readonly check: (subject: Subject) => string | null;
}

/** Code of a LintError: what broke the rule. `GW_LINT_INTERFACE` is for the rules of interface packages. */
export type LintErrorCode =
  | "GW_LINT_REQUEST"
  | "GW_LINT_ANSWER"
  | "GW_LINT_BODY"
  | "GW_LINT_CLOSE"
  | "GW_LINT_INTERFACE";

/** A rule was broken. */
export class LintError extends GatewayError {
  override readonly name = "LintError";
  declare readonly code: LintErrorCode;
  /** The rule's id. */
  readonly rule: string;
  /** Name of the layer, app or carrier at fault. */
  readonly layer: string;

  constructor(code: LintErrorCode, rule: LintSentence, layer: string, found: string) {
    super(code, 500, `${layer} breaks the rule "${rule.sentence}" (${rule.id}): ${found}`);
    this.rule = rule.id;
    this.layer = layer;
  }
}

/** Who is at fault if a rule is broken, and where to say so. */
export interface LintFault {
  readonly code: LintErrorCode;
  /** Name of the layer, app or carrier. */
  readonly layer: string;
  /** Takes the error; may throw it. */
  readonly report: (error: LintError) => void;
}

/** Checks a subject against rules, in order, and reports the first that is broken. True if all are kept. */
export function checkRules<Subject>(
  rules: readonly LintRule<Subject>[],
  subject: Subject,
  { code, layer, report }: LintFault,
): boolean {
  for (const rule of rules) {
    const found = rule.check(subject);
    if (found === null) continue;
    report(new LintError(code, rule, layer, found));
    return false;
  }
  return true;
}
