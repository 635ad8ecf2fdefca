import { expect, test } from "vitest";
import { checkErrorCodes } from "./error-codes.ts";
import { manifestOf, repositoryOf, shown } from "./testdata.ts";

const core = { "packages/core/package.json": manifestOf("@gw/core") };
const table = "| code | status |\n|---|---|\n";

test("accepts the same codes in the source and in the table", () => {
  const repository = repositoryOf({
    ...core,
    "docs/errors.md": `${table}| \`GW_ONE\` | 400 |\n`,
    "packages/core/src/a.ts": `throw new GatewayError("GW_ONE", "x");
      const port = process.env["GW_PORT"]; spawn({ env: { "GW_SOCKET": path } });`,
    "packages/core/src/a.test.ts": 'expect(code).toBe("GW_NOT_REAL");',
  });
  expect(checkErrorCodes(repository)).toEqual([]);
});

test("finds a code that the table does not list, where it is first used", () => {
  const repository = repositoryOf({
    ...core,
    "docs/errors.md": table,
    "packages/core/src/a.ts": '\nthrow new GatewayError("GW_ONE", "x");\nthrow new GatewayError("GW_ONE", "y");',
  });
  expect(shown(checkErrorCodes(repository))).toEqual([
    "packages/core/src/a.ts:2 GW_ONE is not listed in docs/errors.md",
  ]);
});

test("finds a row whose code nobody has, and a row that is there twice", () => {
  const repository = repositoryOf({
    ...core,
    "docs/errors.md": `${table}| \`GW_ONE\` | 400 |\n| \`GW_ONE\` | 400 |\n| \`GW_OLD\` | 500 |\n`,
    "packages/core/src/a.ts": 'const code: "GW_ONE" = "GW_ONE";',
  });
  expect(shown(checkErrorCodes(repository))).toEqual([
    "docs/errors.md:4 GW_ONE is listed twice",
    "docs/errors.md:5 no package has the code GW_OLD",
  ]);
});
