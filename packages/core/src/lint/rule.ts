// Rules: sentences that can be checked.
import { GatewayError } from "../model/errors.ts";

/** One sentence of a specification, and how to check it. */
export interface LintRule<Subject> {
  /** Stable name, such as `request-path`. */
  readonly id: string;
  /** The sentence, as it stands in the specification. */
  readonly sentence: string;
  /** What was found instead, in a few words; `null` if the rule is kept. */
  readonly check: (subject: Subject) => string | null;
}

/** Code of a LintError. */
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

  constructor(code: LintErrorCode, rule: Pick<LintRule<never>, "id" | "sentence">, layer: string, found: string) {
    super(code, 500, `${layer} breaks the rule "${rule.sentence}" (${rule.id}): ${found}`);
    this.rule = rule.id;
    this.layer = layer;
  }
}

/** Checks a subject against rules, in order; the first broken one is reported. */
export function checkRules<Subject>(
  rules: readonly LintRule<Subject>[],
  subject: Subject,
  fault: { code: LintErrorCode; layer: string; report: (error: LintError) => void },
): void {
  for (const rule of rules) {
    const found = rule.check(subject);
    if (found !== null) {
      fault.report(new LintError(fault.code, rule, fault.layer, found));
      return;
    }
  }
}
