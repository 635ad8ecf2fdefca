// The matrix: every case through every carrier that can carry it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Ability, type Carrier, collect, everyCarrier } from "@gw/testing";
import { describe, expect, test } from "vitest";
import type { Case } from "../case.ts";

const folder = join(import.meta.dirname, "../cases");
const command = join(import.meta.dirname, "../../packages/cli/bin/gw.js");
const carriers = everyCarrier({ cgiCommand: [process.execPath, command, "cgi"] });

interface NamedCase {
  readonly found: Case;
  /** `/…/cases/status.ts:head`, for carriers that load the case in another process. */
  readonly module: string;
}

const cases: NamedCase[] = [];
for (const file of readdirSync(folder).sort()) {
  const exported = (await import(join(folder, file))) as Record<string, Case>;
  for (const [name, found] of Object.entries(exported)) cases.push({ found, module: `${join(folder, file)}:${name}` });
}

/** What the carrier lacks for the case; empty if it can carry it. */
function missing(carrier: Carrier, { needs }: Case): readonly Ability[] {
  return needs.filter((ability) => !carrier.abilities.has(ability));
}

for (const carrier of carriers) {
  describe(carrier.name, () => {
    for (const { found, module } of cases) {
      if (missing(carrier, found).length > 0) continue;
      test(found.title, async () => {
        const opened = await carrier.open({ app: found, module, breaksRules: found.breaksRules });
        try {
          await found.check({
            carrier: carrier.name,
            open: (target, request) => opened.send({ ...request, target }),
            fetch: async (target, request) => collect(await opened.send({ ...request, target })),
          });
        } finally {
          await opened.close();
        }
      });
    }
  });
}

test("titles are unique, and every case runs on at least one carrier", () => {
  const titles = cases.map(({ found }) => found.title);
  expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
  for (const { found } of cases)
    expect(
      carriers.some((carrier) => missing(carrier, found).length === 0),
      found.title,
    ).toBe(true);
});

test("MATRIX.md shows the matrix that runs", async () => {
  await expect(matrix()).toMatchFileSnapshot("../MATRIX.md");
});

/** The table of cases and carriers as Markdown. */
function matrix(): string {
  const rows = cases.map(({ found }) => {
    const cells = carriers.map((carrier) => {
      const lacking = missing(carrier, found);
      return lacking.length === 0 ? "✓" : `– (${lacking.join(", ")})`;
    });
    return `| ${found.title} | ${cells.join(" | ")} |`;
  });
  return [
    "# Cases and carriers",
    "",
    "Written by the test run. `–` names what the carrier cannot do; see the package's documentation for why.",
    "",
    `| case | ${carriers.map(({ name }) => name).join(" | ")} |`,
    `|---|${carriers.map(() => "---|").join("")}`,
    ...rows,
    "",
  ].join("\n");
}
