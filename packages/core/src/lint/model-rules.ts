// Every sentence of the request model, in the order of docs/model.md.
import { answerRules } from "./answer-rules.ts";
import { edgeRules, requestRules } from "./request-rules.ts";
import type { LintSentence } from "./rule.ts";
import { use } from "./use-rules.ts";

/** The sentences of the request model: of requests, of answers, and of what becomes of both. */
export const modelRules: Readonly<Record<"requests" | "answers" | "use", readonly LintSentence[]>> = {
  requests: [...requestRules, ...edgeRules],
  answers: answerRules,
  use: Object.values(use),
};
