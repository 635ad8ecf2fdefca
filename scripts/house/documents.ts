// What the documents promise: package READMEs have their sections, docs/where.md names files that exist.
import type { Finding, Repository } from "./repository.ts";

/** The sections of a package README, in this order, below a title and a sentence or two of what it is. */
export const readmeSections: readonly string[] = [
  "Install",
  "Smallest program",
  "Options",
  "How it maps to the spec",
  "Limits and security",
  "Where things are",
];

/** Finds READMEs without the agreed sections. */
export function checkReadmes(repository: Repository): Finding[] {
  return repository.packages.flatMap(({ folder }) => {
    const file = `packages/${folder}/README.md`;
    if (!repository.exists(file)) return [{ file, line: 1, message: "missing; every package has a README" }];
    return checkReadme(file, repository.text(file));
  });
}

function checkReadme(file: string, text: string): Finding[] {
  const lines = text.split("\n");
  const headings = lines.flatMap((line, index) => {
    const title = line.match(/^## (.+?)\s*$/)?.[1];
    return title === undefined ? [] : [{ title: title.toLowerCase(), line: index + 1 }];
  });
  const intro = lines.slice(0, (headings[0]?.line ?? lines.length) - 1).filter((line) => line.trim() !== "");
  const findings: Finding[] = [];
  if (!intro[0]?.startsWith("# ") || intro.length < 2) {
    findings.push({ file, line: 1, message: "starts with a title and one or two sentences of what it is" });
  }
  let last = 0;
  for (const section of readmeSections) {
    const line = headings.find(({ title }) => title === section.toLowerCase())?.line;
    const order = `sections are ${readmeSections.join(" · ")}`;
    if (line === undefined) findings.push({ file, line: 1, message: `has no section "## ${section}"; ${order}` });
    else if (line < last) findings.push({ file, line, message: `"${section}" is out of order; ${order}` });
    last = Math.max(last, line ?? 0);
  }
  return findings;
}

/** Finds paths in docs/where.md and in the "Where things are" sections that do not exist. */
export function checkWhere(repository: Repository): Finding[] {
  const file = "docs/where.md";
  if (!repository.exists(file)) return [{ file, line: 1, message: "missing" }];
  return rowsOf(repository.text(file)).flatMap(({ line, cells }) => {
    const paths = [...(cells.at(-1) ?? "").matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? "");
    if (paths.length === 0) return [{ file, line, message: "the row names no file; write its path in backticks" }];
    return paths
      .filter((path) => !repository.exists(path))
      .map((path) => ({ file, line, message: `${path} does not exist; paths are relative to the repository root` }));
  });
}

/** The body rows of every table in a Markdown text. */
export function rowsOf(markdown: string): { line: number; cells: string[] }[] {
  const lines = markdown.split("\n");
  return lines.flatMap((text, index) => {
    const isRow = text.startsWith("|") && !/^\|[\s:|-]+$/.test(text) && !/^\|[\s:|-]+$/.test(lines[index + 1] ?? "");
    return isRow
      ? [
          {
            line: index + 1,
            cells: text
              .split(/(?<!\\)\|/)
              .slice(1, -1)
              .map((cell) => cell.trim()),
          },
        ]
      : [];
  });
}
