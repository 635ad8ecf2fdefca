// @gw/asgi/lint: the executable specification of the ASGI documents.
export { type EventSubject, receiveRules, sendRules } from "./event-rules.ts";
export { type ScopeSubject, scopeRules } from "./scope-rules.ts";
export { type ValidatorOptions, validator } from "./validator.ts";
