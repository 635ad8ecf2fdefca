// The names a module exports and where each is declared, followed through re-exports.
import ts from "typescript";
import { resolveImport } from "./imports.ts";
import type { Repository, SourceFile } from "./repository.ts";

/** One exported name. */
export interface ExportedName {
  /** As users import it. */
  readonly name: string;
  readonly isType: boolean;
  readonly file: SourceFile;
  /** Every declaration of it: overloads, or an interface and a constant of the same name. */
  readonly declarations: readonly ts.Node[];
}

/** Lists what the module at `path` exports, its own declarations and what it passes on, in order of appearance. */
export function exportedNames(repository: Repository, path: string): ExportedName[] {
  const file = repository.source(path);
  if (file === undefined) return [];
  const found = new Map<string, ExportedName>();
  for (const statement of file.syntax.statements) {
    for (const one of [...ownNames(file, statement), ...passedOn(repository, file, statement)]) {
      const before = found.get(one.name);
      const declarations = [...(before?.declarations ?? []), ...one.declarations];
      found.set(one.name, { ...one, isType: one.isType && (before?.isType ?? true), declarations });
    }
  }
  return [...found.values()];
}

function ownNames(file: SourceFile, statement: ts.Statement): ExportedName[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  return declaredNames(statement).map((name) => ({
    name,
    isType: ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement),
    file,
    declarations: [statement],
  }));
}

function passedOn(repository: Repository, file: SourceFile, statement: ts.Statement): ExportedName[] {
  if (!ts.isExportDeclaration(statement)) return [];
  const { exportClause, moduleSpecifier } = statement;
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return [];
  const target = targetOf(repository, file, moduleSpecifier);
  return exportClause.elements.map((element) => {
    const wanted = (element.propertyName ?? element.name).text;
    const origin = target.find((one) => one.name === wanted);
    return {
      name: element.name.text,
      isType: statement.isTypeOnly || element.isTypeOnly || (origin?.isType ?? false),
      file: origin?.file ?? file,
      declarations: origin?.declarations ?? [element],
    };
  });
}

function targetOf(repository: Repository, file: SourceFile, specifier: ts.Expression | undefined): ExportedName[] {
  if (specifier === undefined) return localNames(file);
  if (!ts.isStringLiteral(specifier)) return [];
  const path = resolveImport(repository, file.path, specifier.text);
  return path === null ? [] : exportedNames(repository, path);
}

/** Declarations of the file itself, exported or not: what `export { x }` without `from` refers to. */
function localNames(file: SourceFile): ExportedName[] {
  return file.syntax.statements.flatMap((statement) =>
    declaredNames(statement).map((name) => ({ name, isType: false, file, declarations: [statement] })),
  );
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name ? [statement.name.text] : [];
}
