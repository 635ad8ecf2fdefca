// What each package ships, pinned. Reads the built packages, as `npm pack` does.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readPackages } from "../workspace.ts";

const root = join(import.meta.dirname, "../..");
const packages = readPackages(root);
const packed = new Map<string, string[]>();

beforeAll(() => {
  const args = ["pack", "--dry-run", "--json", ...packages.map(({ folder }) => `--workspace=packages/${folder}`)];
  const output = execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const results = Object.values(JSON.parse(output) as Record<string, { name: string; files: { path: string }[] }>);
  for (const { name, files } of results) packed.set(name, files.map(({ path }) => path).sort());
});

describe.each(packages)("$manifest.name", ({ folder, path, manifest, entries }) => {
  test("ships the pinned files (after a wanted change: npm run pin)", async () => {
    const entryFiles = new Set(entries.flatMap(({ name }) => [`dist/${name}.js`, `dist/${name}.d.ts`]));
    // Shared chunks are named after their content; that there are some is all that matters.
    const withoutHash = (file: string): string =>
      entryFiles.has(file)
        ? file
        : file.replace(/-([A-Z0-9]{8}\.js|[\w-]{8}\.d\.ts)$/, (_, end: string) => `-*.${end.slice(9)}`);
    const names = new Set((packed.get(manifest.name) ?? []).map(withoutHash));
    await expect(`${[...names].join("\n")}\n`).toMatchFileSnapshot(`${folder}.contents.txt`);
  });

  test("ships every entry with its types, a README and the license, and no source, test or map", () => {
    const files = packed.get(manifest.name) ?? [];
    const wanted = entries.flatMap(({ name }) => [`dist/${name}.js`, `dist/${name}.d.ts`]);
    expect(files).toEqual(expect.arrayContaining([...wanted, "README.md", "LICENSE", "package.json"]));
    expect(files.filter((file) => /^(src|test)\/|\.test\.|\.map$|tsconfig|tsup|vitest/.test(file))).toEqual([]);
  });

  test("has the license of the repository", () => {
    expect(readFileSync(join(path, "LICENSE"), "utf8")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
  });
});
