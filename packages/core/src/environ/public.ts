// The public names of the variables, for the package's entry.
export { fromProcessEnvironment, parseEnvironmentBlock, toProcessEnvironment } from "./env-bytes.ts";
export { headerNameOf, variableName } from "./names.ts";
export { type ReadVariablesOptions, readVariables, type VariablesHead } from "./read.ts";
export { type WriteVariablesOptions, writeVariables } from "./write.ts";
