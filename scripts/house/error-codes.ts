// Every error code in the source is in docs/errors.md, and every row there is in the source.
import ts from "typescript";
import { rowsOf } from "./documents.ts";
import { type Finding, findingAt, packageSources, type Repository, type SourceFile } from "./repository.ts";

const document = "docs/errors.md";
const code = /^GW_[A-Z0-9_]+$/;

/** Compares the two lists, both ways. */
export function checkErrorCodes(repository: Repository): Finding[] {
  if (!repository.exists(document)) return [{ file: document, line: 1, message: "missing" }];
  const thrown = new Map<string, Finding>();
  for (const file of packageSources(repository)) {
    for (const { text, node } of codesIn(file)) {
      if (!thrown.has(text)) thrown.set(text, findingAt(file, node, `${text} is not listed in ${document}`));
    }
  }
  const listed = new Map<string, number>();
  const findings: Finding[] = [];
  for (const { line, cells } of rowsOf(repository.text(document))) {
    const name = cells[0]?.match(/^`(GW_[A-Z0-9_]+)`$/)?.[1];
    if (name === undefined) continue;
    if (listed.has(name)) findings.push({ file: document, line, message: `${name} is listed twice` });
    if (!thrown.has(name)) findings.push({ file: document, line, message: `no package has the code ${name}` });
    listed.set(name, line);
  }
  for (const [name, finding] of thrown) if (!listed.has(name)) findings.push(finding);
  return findings;
}

/** String literals that look like a code. Names of environment variables (`env["GW_PORT"]`, property keys) are not codes. */
function codesIn(file: SourceFile): { text: string; node: ts.Node }[] {
  const found: { text: string; node: ts.Node }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && code.test(node.text) && !isVariableName(node)) {
      found.push({ text: node.text, node });
    }
    ts.forEachChild(node, visit);
  };
  visit(file.syntax);
  return found;
}

function isVariableName(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent)) return parent.name === node;
  return ts.isElementAccessExpression(parent) && /\benv(ironment)?$/i.test(parent.expression.getText());
}
