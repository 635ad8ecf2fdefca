// @gw/wsgi/lint: the executable specification of PEP 3333.
export { type EnvironSubject, environRules } from "./environ-rules.ts";
export { type StartCall, startRules } from "./start-rules.ts";
export { type ValidatorOptions, validator } from "./validator.ts";
