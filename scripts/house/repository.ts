// What the house rules look at: the files of the repository, each read and parsed once.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { readPackages, type WorkspacePackage } from "../workspace.ts";

/** Something a rule does not accept. */
export interface Finding {
  /** Path relative to the repository root. */
  readonly file: string;
  /** First line is 1. */
  readonly line: number;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

/** One source file of the repository. */
export interface SourceFile {
  /** Path relative to the repository root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** `x.test.ts`, or anything in a `test`, `testdata` or `fixtures` folder. */
  readonly isTest: boolean;
  /** Parsed without types, with parent links. */
  readonly syntax: ts.SourceFile;
}

/** A repository on disk; sources are read when first asked for. */
export interface Repository {
  readonly root: string;
  readonly packages: readonly WorkspacePackage[];
  /** TypeScript and JavaScript sources below a folder, in alphabetical order. */
  sources(folder: string): readonly SourceFile[];
  /** One source file, or `undefined` if there is none. */
  source(path: string): SourceFile | undefined;
  exists(path: string): boolean;
  /** Text of any file. */
  text(path: string): string;
}

const skippedFolders = new Set(["node_modules", "dist", ".turbo", "data"]);
const sourceName = /\.(ts|mts|js|mjs)$/;
const testPath = /(^|\/)(test|testdata|fixtures)\/|\.test\.ts$/;

/** Opens the repository at `root`. */
export function openRepository(root: string): Repository {
  const parsed = new Map<string, SourceFile>();
  const source = (path: string): SourceFile | undefined => {
    if (!parsed.has(path) && !existsSync(join(root, path))) return undefined;
    const file = parsed.get(path) ?? parse(root, path);
    parsed.set(path, file);
    return file;
  };
  return {
    root,
    packages: existsSync(join(root, "packages")) ? readPackages(root) : [],
    source,
    sources: (folder) => walk(root, folder).flatMap((path) => source(path) ?? []),
    exists: (path) => existsSync(join(root, path)),
    text: (path) => readFileSync(join(root, path), "utf8"),
  };
}

/** The published sources of every package, tests left out. */
export function packageSources(repository: Repository): SourceFile[] {
  return repository.packages
    .flatMap(({ folder }) => repository.sources(`packages/${folder}/src`))
    .filter(({ isTest }) => !isTest);
}

/** A finding at a syntax node. */
export function findingAt(file: SourceFile, node: ts.Node, message: string): Finding {
  const { line } = file.syntax.getLineAndCharacterOfPosition(node.getStart(file.syntax));
  return { file: file.path, line: line + 1, message };
}

function parse(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return { path, text, lines, isTest: testPath.test(path), syntax };
}

function walk(root: string, folder: string): string[] {
  const absolute = join(root, folder);
  if (!existsSync(absolute)) return [];
  const children = readdirSync(absolute, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return children.flatMap((child) => {
    const path = `${folder}/${child.name}`;
    if (child.isDirectory()) return skippedFolders.has(child.name) ? [] : walk(root, path);
    return sourceName.test(child.name) ? [path] : [];
  });
}
