// Every exported name has a docstring: the API reference is made of them.
import ts from "typescript";
import { exportedNames } from "./exported-names.ts";
import { type Finding, findingAt, type Repository } from "./repository.ts";

/** Finds names that users can import but not read about. */
export function checkDocstrings(repository: Repository): Finding[] {
  const seen = new Set<ts.Node>();
  return repository.packages.flatMap(({ folder, entries }) =>
    entries.flatMap(({ specifier, source }) =>
      exportedNames(repository, `packages/${folder}/${source}`).flatMap(({ name, file, declarations }) => {
        const [first] = declarations;
        if (first === undefined || seen.has(first)) return [];
        seen.add(first);
        if (declarations.some(isDocumented)) return [];
        return [findingAt(file, first, `${name} (exported by ${specifier}) has no docstring: /** what it does */`)];
      }),
    ),
  );
}

function isDocumented(declaration: ts.Node): boolean {
  return ts
    .getJSDocCommentsAndTags(declaration)
    .some((doc) => ts.isJSDoc(doc) && (ts.getTextOfJSDocComment(doc.comment) ?? "").trim() !== "");
}
