// The packages of this repository as their package.json files describe them.
// The build, the tests and the house checks all derive "which source file is this entry" from here.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One published entry of a package: the name users import and the source file behind it. */
export interface PackageEntry {
  /** As users write it: `@gw/core/node`. */
  readonly specifier: string;
  /** Path of the built file without `dist/` and `.js`: `node/index`. */
  readonly name: string;
  /** Source file, relative to the package folder: `src/node/index.ts`. */
  readonly source: string;
}

/** The part of a package.json that the scripts read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly types?: string; readonly default?: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One folder under `packages/`. */
export interface WorkspacePackage {
  /** Folder name: `core`. */
  readonly folder: string;
  /** Absolute path of the folder. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly entries: readonly PackageEntry[];
}

/** Reads the package.json of a folder. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** Lists the code entries of a manifest; `./package.json` and other plain files are no entries. */
export function entriesOf(manifest: Manifest): PackageEntry[] {
  const entries: PackageEntry[] = [];
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    const file = typeof target === "string" ? target : target.default;
    const name = file?.match(/^\.\/dist\/(.+)\.js$/)?.[1];
    if (name === undefined) continue;
    entries.push({ specifier: manifest.name + subpath.slice(1), name, source: `src/${name}.ts` });
  }
  return entries;
}

/** Reads every package under `<root>/packages`, in alphabetical order. */
export function readPackages(root: string): WorkspacePackage[] {
  const folders = readdirSync(join(root, "packages"), { withFileTypes: true });
  return (
    folders
      .filter((folder) => folder.isDirectory())
      .map(({ name }) => ({ name, path: join(root, "packages", name) }))
      // A folder without a manifest is a package that is being made.
      .filter(({ path }) => existsSync(join(path, "package.json")))
      .map(({ name, path }) => {
        const manifest = readManifest(path);
        return { folder: name, path, manifest, entries: entriesOf(manifest) };
      })
      .sort((a, b) => (a.folder < b.folder ? -1 : 1))
  );
}
