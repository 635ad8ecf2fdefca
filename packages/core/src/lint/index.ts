// @gw/core/lint: the executable specification of the request model, and the engine for those of the interfaces.
export type { Answered } from "./answer-rules.ts";
export { type LintOptions, lint, lintLayers } from "./engine.ts";
export { modelRules } from "./model-rules.ts";
export { checkRules, LintError, type LintErrorCode, type LintFault, type LintRule, type LintSentence } from "./rule.ts";
