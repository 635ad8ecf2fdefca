// Which modules a source file names: imports, re-exports, `import()` in code and `import("x").T` in types.
import { posix } from "node:path";
import ts from "typescript";
import type { Repository, SourceFile } from "./repository.ts";

/** One mention of another module. */
export interface Import {
  readonly specifier: string;
  readonly node: ts.Node;
  /** Nothing of it is left at run time. */
  readonly isTypeOnly: boolean;
  /** `import()` in code: loaded later, so it closes no cycle at load time. */
  readonly isDeferred: boolean;
}

/** Lists every module a file names. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const read = readImport(node);
    if (read !== null) found.push(read);
    ts.forEachChild(node, visit);
  };
  visit(file.syntax);
  return found;
}

/** The repository file that a specifier in `from` means, or `null` if it is not ours or does not exist. */
export function resolveImport(repository: Repository, from: string, specifier: string): string | null {
  if (specifier.startsWith(".")) {
    const path = posix.join(posix.dirname(from), specifier);
    return repository.source(path) ? path : null;
  }
  for (const { folder, entries } of repository.packages) {
    const entry = entries.find((one) => one.specifier === specifier);
    if (entry) return `packages/${folder}/${entry.source}`;
  }
  return null;
}

/** The package part of a specifier: `@gw/core/node` → `@gw/core`; `null` for relative ones. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return null;
  const [first = "", second] = specifier.split("/");
  return first.startsWith("@") && second !== undefined ? `${first}/${second}` : first;
}

function readImport(node: ts.Node): Import | null {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, node, isTypeOnly: isTypeImport(node), isDeferred: false };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, node, isTypeOnly: isTypeExport(node), isDeferred: false };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, node, isTypeOnly: true, isDeferred: false };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    if (argument && ts.isStringLiteral(argument)) {
      return { specifier: argument.text, node, isTypeOnly: false, isDeferred: true };
    }
  }
  return null;
}

function isTypeImport({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
}

function isTypeExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return false;
  return exportClause.elements.length > 0 && exportClause.elements.every((element) => element.isTypeOnly);
}
