// What the operator sees: one line per event, and the pipeline as a tree.
import { type Description, isGatewayError } from "@gw/core";

/** `gw: …` for an error that ends the command; the cause's stack only when asked for. */
export function errorLine(error: unknown, { verbose = false }: { verbose?: boolean } = {}): string {
  const message = error instanceof Error ? error.message : String(error);
  const expected = isGatewayError(error) || hasCode(error);
  const stack = (verbose || !expected) && error instanceof Error ? deepestStack(error) : null;
  return stack === null ? `gw: ${message}` : `gw: ${message}\n${stack}`;
}

function hasCode(error: unknown): boolean {
  return typeof (error as { code?: unknown } | null)?.code === "string";
}

function deepestStack(error: Error): string {
  let deepest = error;
  while (deepest.cause instanceof Error) deepest = deepest.cause;
  return deepest.stack ?? deepest.message;
}

/** A description as an indented tree. */
export function treeLines(description: Description, indent = ""): string[] {
  const { children = [] } = description;
  return [`${indent}${lineOf(description)}`, ...children.flatMap((child) => treeLines(child, `${indent}  `))];
}

/** What an app is, in two words: `php ./www`. */
export function appWords({ kind, name }: Pick<Description, "kind" | "name">): string {
  return kind === name ? name : `${kind} ${name}`;
}

function lineOf({ kind, name, at, facts = {} }: Description): string {
  const what = appWords({ kind, name });
  const where = at === undefined ? what : at === name ? at : `${at} → ${what}`;
  const known = Object.entries(facts).map(([fact, value]) => `${fact}=${value}`);
  return known.length > 0 ? `${where} (${known.join(", ")})` : where;
}
