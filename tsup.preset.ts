// One build for every package: ESM and types, one output per entry of package.json "exports".
import { readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Options } from "tsup";
import { entriesOf, readManifest } from "./scripts/workspace.ts";

/** What a package may add to the common build. */
export interface PresetOptions {
  /** Built files that are no public entry (worker threads, the command's main), by name: `{ main: "src/main.ts" }`. */
  readonly privateEntries?: Readonly<Record<string, string>>;
  /**
   * The source file whose code every process of this package runs. With all it imports it becomes one file, which the
   * other entries and what is loaded by `import()` share: esbuild alone makes a file of each set of modules that the
   * same entries need, and each file costs a cold start a third of a millisecond.
   */
  readonly base?: string;
  /** Names of entries that share no file with others. What they load by `import()` must be an entry, too. */
  readonly apart?: readonly string[];
}

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** Lets all other entries, and what is loaded by `import()`, need all of the base: no set of modules below it stands out. */
function onBase(base: string, entries: readonly string[]): Plugin {
  const above = new Set(entries.map((file) => resolve(file)));
  above.delete(resolve(base));
  return {
    name: "base",
    setup(build) {
      build.initialOptions.logOverride = { "ignored-bare-import": "silent" };
      build.onResolve({ filter: /^\.{1,2}\// }, ({ kind, path, resolveDir }) => {
        if (kind === "dynamic-import") above.add(resolve(resolveDir, path));
        return undefined;
      });
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (!above.has(path)) return undefined;
        const source = readFileSync(path, "utf8");
        return { contents: `import ${JSON.stringify(resolve(base))};\n${source}`, loader: "ts" };
      });
    },
  };
}

const toBuiltFiles: Plugin = {
  name: "to-built-files",
  setup(build) {
    build.onResolve({ filter: /^\.\/.*\.ts$/ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path: path.replace(/\.ts$/, ".js"), external: true } : undefined,
    );
  },
};

/** Makes the tsup config of the package in the working directory. */
export function preset({ privateEntries = {}, base, apart = [] }: PresetOptions = {}): ReturnType<typeof defineConfig> {
  const manifest = readManifest(process.cwd());
  const publicEntries = Object.fromEntries(entriesOf(manifest).map(({ name, source }) => [name, source]));
  const entries = Object.entries({ ...publicEntries, ...privateEntries });
  const entry = Object.fromEntries(entries.filter(([name]) => !apart.includes(name)));
  const common = commonOptions(manifest.version);
  const dts = { entry: publicEntries, compilerOptions: TYPES_OPTIONS };
  const shared: Options = {
    ...common,
    entry,
    dts,
    ...(base !== undefined && { esbuildPlugins: [onBase(base, Object.values(entry))] }),
  };
  if (apart.length === 0) return defineConfig({ ...shared, clean: true });
  // Both builds write to one folder at the same time: neither may empty it.
  rmSync("dist", { recursive: true, force: true });
  const rest = Object.fromEntries(entries.filter(([name]) => apart.includes(name)));
  return defineConfig([shared, { ...common, entry: rest, splitting: false, esbuildPlugins: [toBuiltFiles] }]);
}

function commonOptions(version: string): Options {
  return {
    format: "esm",
    platform: "node",
    target: "node20.19",
    silent: true,
    clean: false,
    splitting: true,
    sourcemap: false,
    define: { __GW_VERSION__: JSON.stringify(version) },
    // Node's `node:sqlite` and friends exist only with the prefix.
    removeNodeProtocol: false,
  };
}

const TYPES_OPTIONS = {
  // tsup 8.5 sets `baseUrl`, which TypeScript 6 reports as deprecated.
  ignoreDeprecations: "6.0",
  // Other packages are read as users get them: from their built types.
  paths: {},
};
