// How files are named, how long they are and how deep they lie.
import { type Finding, packageSources, type Repository, type SourceFile } from "./repository.ts";

const maxLines = 300;
const maxFoldersBelowSrc = 2;
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const emptyWords = new Set(["utils", "util", "helpers", "helper", "common", "misc", "shared", "stuff"]);
/** Roots whose files follow the rules of length and name. */
const roots = ["packages", "apps", "conformance", "bench", "scripts"];

/** Finds files that hold more than one reader can hold, or whose name says nothing. */
export function checkFiles(repository: Repository): Finding[] {
  const all = roots.flatMap((root) => repository.sources(root));
  return [
    ...all.filter(({ isTest }) => !isTest).flatMap(checkLength),
    ...all.flatMap(checkName),
    ...packageSources(repository).flatMap(checkDepth),
  ];
}

function checkLength({ path, lines }: SourceFile): Finding[] {
  if (lines <= maxLines) return [];
  return [{ file: path, line: maxLines + 1, message: `${lines} lines; at most ${maxLines}: one concept per file` }];
}

function checkName({ path }: SourceFile): Finding[] {
  const parts = path.replace(/\.d\.ts$|\.[a-z]+$/, "").split("/");
  return parts.flatMap((part) => {
    const words = part.replace(/\.(test|config|shared|preset)$/, "");
    if (emptyWords.has(words)) {
      return [{ file: path, line: 1, message: `"${words}" says nothing; name the concept instead` }];
    }
    if (words.split(".").every((word) => kebabCase.test(word))) return [];
    return [{ file: path, line: 1, message: `"${part}" is not kebab-case` }];
  });
}

function checkDepth({ path }: SourceFile): Finding[] {
  const [, , , ...below] = path.split("/");
  if (below.length - 1 <= maxFoldersBelowSrc) return [];
  return [
    { file: path, line: 1, message: `lies ${below.length - 1} folders below src; at most ${maxFoldersBelowSrc}` },
  ];
}
