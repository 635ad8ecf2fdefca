// One build for every package: ESM and types, one output per entry of package.json "exports".
import { defineConfig } from "tsup";
import { entriesOf, readManifest } from "./scripts/workspace.ts";

/** What a package may add to the common build. */
export interface PresetOptions {
  /** Built files that are no public entry (worker threads, the command's main), by name: `{ main: "src/main.ts" }`. */
  readonly privateEntries?: Readonly<Record<string, string>>;
}

/** Makes the tsup config of the package in the working directory. */
export function preset({ privateEntries = {} }: PresetOptions = {}): ReturnType<typeof defineConfig> {
  const manifest = readManifest(process.cwd());
  const publicEntries = Object.fromEntries(entriesOf(manifest).map(({ name, source }) => [name, source]));
  return defineConfig({
    entry: { ...publicEntries, ...privateEntries },
    format: "esm",
    platform: "node",
    target: "node20.19",
    clean: true,
    silent: true,
    splitting: true,
    sourcemap: false,
    define: { __GW_VERSION__: JSON.stringify(manifest.version) },
    // Node's `node:sqlite` and friends exist only with the prefix.
    removeNodeProtocol: false,
    dts: {
      entry: publicEntries,
      compilerOptions: {
        // tsup 8.5 sets `baseUrl`, which TypeScript 6 reports as deprecated.
        ignoreDeprecations: "6.0",
        // Other packages are read as users get them: from their built types.
        paths: {},
      },
    },
  });
}
