// The public surface of every package, pinned: a name that appears or disappears shows up in review.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportedNames } from "../house/exported-names.ts";
import { openRepository } from "../house/repository.ts";

const root = join(import.meta.dirname, "../..");
const repository = openRepository(root);

describe.each(repository.packages)("$manifest.name", ({ folder, entries }) => {
  test("exports the pinned names (after a wanted change: npm run pin)", async () => {
    const lines = entries.flatMap(({ specifier, source }) =>
      exportedNames(repository, `packages/${folder}/${source}`)
        .map(({ name, isType }) => `${specifier} ${isType ? "type " : ""}${name}`)
        .sort(),
    );
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(`${folder}.exports.txt`);
  });
});
