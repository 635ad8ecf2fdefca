import { expect, test } from "vitest";
import { checkReadmes, checkWhere, readmeSections } from "./documents.ts";
import { manifestOf, repositoryOf, shown } from "./testdata.ts";

const core = { "packages/core/package.json": manifestOf("@gw/core") };
const readmeOf = (sections: readonly string[]): string =>
  ["# @gw/core", "What it is.", ...sections.map((section) => `## ${section}\n\nText.`)].join("\n\n");

test("accepts a README with all sections, and more of them", () => {
  const text = readmeOf(["Install", "Smallest program", "Options", "Recipes", ...readmeSections.slice(3)]);
  expect(checkReadmes(repositoryOf({ ...core, "packages/core/README.md": text }))).toEqual([]);
});

test("finds a package without a README", () => {
  expect(shown(checkReadmes(repositoryOf(core)))).toEqual([
    "packages/core/README.md:1 missing; every package has a README",
  ]);
});

test.each(readmeSections)("finds a README without the section %s", (missing) => {
  const text = readmeOf(readmeSections.filter((section) => section !== missing));
  expect(shown(checkReadmes(repositoryOf({ ...core, "packages/core/README.md": text })))).toEqual([
    expect.stringContaining(`has no section "## ${missing}"`),
  ]);
});

test("finds sections out of order, and a README that does not say what the package is", () => {
  const text = readmeOf([...readmeSections.slice(1), "Install"]).replace("What it is.\n", "");
  expect(shown(checkReadmes(repositoryOf({ ...core, "packages/core/README.md": text })))).toEqual([
    expect.stringContaining("starts with a title and one or two sentences"),
    expect.stringMatching(/README.md:4 "Smallest program" is out of order/),
    ...["Options", "How it maps", "Limits", "Where"].map((name) => expect.stringContaining(`"${name}`)),
  ]);
});

const table = "| behaviour | file |\n|---|---|\n";

test("docs/where.md may name only files and folders that exist", () => {
  const repository = repositoryOf({
    ...core,
    "docs/where.md": `${table}| a | \`packages/core/package.json\` |\n| b | \`packages/core/src/gone.ts\` |\n| c | somewhere |\n`,
  });
  expect(shown(checkWhere(repository))).toEqual([
    "docs/where.md:4 packages/core/src/gone.ts does not exist; paths are relative to the repository root",
    "docs/where.md:5 the row names no file; write its path in backticks",
  ]);
});

test("docs/where.md must exist", () => {
  expect(shown(checkWhere(repositoryOf(core)))).toEqual(["docs/where.md:1 missing"]);
});
