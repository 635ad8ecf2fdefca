// What a module of a package may import and export, apart from the arrows.
import ts from "typescript";
import { importsOf } from "./imports.ts";
import { type Finding, findingAt, packageSources, type Repository, type SourceFile } from "./repository.ts";

const maxEntryLines = 60;
/** Folders that know no runtime: all of core but `node/`, and every codec. */
const pureFolder = /^packages\/(core\/src\/(?!node\/)|[^/]+\/src\/codec\/)/;

/** Finds default exports, imports of Node in pure code, imports without an extension, and entries that do more than list. */
export function checkModules(repository: Repository): Finding[] {
  const entries = new Set(
    repository.packages.flatMap(({ folder, entries }) => entries.map(({ source }) => `packages/${folder}/${source}`)),
  );
  return packageSources(repository).flatMap((file) => [
    ...checkImports(file),
    ...checkDefaultExport(file),
    ...(file.path.endsWith("/index.ts") ? checkEntry(file, entries.has(file.path)) : checkStarExports(file)),
  ]);
}

function checkImports(file: SourceFile): Finding[] {
  const isPure = pureFolder.test(file.path);
  return importsOf(file).flatMap(({ specifier, node }) => {
    if (isPure && specifier.startsWith("node:")) {
      return [
        findingAt(file, node, `imports ${specifier}; only core/src/node/ and code that does I/O may import node:`),
      ];
    }
    if (specifier.startsWith(".") && !/\.(ts|json)$/.test(specifier)) {
      return [findingAt(file, node, `"${specifier}" has no extension; relative imports end in .ts`)];
    }
    return [];
  });
}

function checkDefaultExport(file: SourceFile): Finding[] {
  const message = "default export; packages export names";
  return file.syntax.statements.flatMap((statement) => {
    if (ts.isExportAssignment(statement)) return [findingAt(file, statement, message)];
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const isDefault = modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
    const exported = ts.isExportDeclaration(statement) && statement.exportClause;
    const renamed =
      exported && ts.isNamedExports(exported) && exported.elements.some(({ name }) => name.text === "default");
    return isDefault || renamed ? [findingAt(file, statement, message)] : [];
  });
}

function checkStarExports(file: SourceFile): Finding[] {
  return file.syntax.statements
    .filter((statement) => ts.isExportDeclaration(statement) && !isNamed(statement))
    .map((statement) => findingAt(file, statement, "export *; name what is exported"));
}

function checkEntry(file: SourceFile, isListed: boolean): Finding[] {
  if (!isListed) {
    return [{ file: file.path, line: 1, message: 'index.ts is for entries listed in package.json "exports" only' }];
  }
  const others = file.syntax.statements
    .filter((statement) => !(ts.isExportDeclaration(statement) && statement.moduleSpecifier && isNamed(statement)))
    .map((statement) => findingAt(file, statement, "an entry holds named re-exports only: export { x } from"));
  if (file.lines <= maxEntryLines) return others;
  const message = `${file.lines} lines; an entry has at most ${maxEntryLines}`;
  return [...others, { file: file.path, line: maxEntryLines + 1, message }];
}

function isNamed(statement: ts.ExportDeclaration): boolean {
  return statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause);
}
