// @gw/core/lint: the executable specification of the request model.
export { type Answered, type LintOptions, lint, lintLayers } from "./engine.ts";
export { checkRules, LintError, type LintErrorCode, type LintRule } from "./rule.ts";
