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
  const facts = Object.entries(description.facts ?? {}).map(([name, value]) => `${name}=${value}`);
  const at = description.at === undefined ? "" : `${description.at} → `;
  const line = `${indent}${at}${description.kind === description.name ? "" : `${description.kind} `}${description.name}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`;
  return [line, ...(description.children ?? []).flatMap((child) => treeLines(child, `${indent}  `))];
}
