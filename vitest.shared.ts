// What every vitest config shares: `@gw/…` means the source, so tests need no build.
import { join } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { readManifest, readPackages } from "./scripts/workspace.ts";

const root = import.meta.dirname;

/** Every `@gw/…` specifier and the source file it stands for; exact matches only. */
const sourceAliases: { find: RegExp; replacement: string }[] = readPackages(root).flatMap(({ path, entries }) =>
  entries.map(({ specifier, source }) => ({
    find: new RegExp(`^${specifier}$`),
    replacement: join(path, source),
  })),
);

/** What tests of every package share: saying what they need of the machine, a real browser, a log to listen to. */
const testing = ["requires", "browser", "free-port", "listening-context", "sibling-gateways"].map((name) => ({
  find: new RegExp(`^@gw-private/${name}$`),
  replacement: join(root, `scripts/testing/${name}.ts`),
}));

/** Makes the vitest config of the workspace in `folder` (pass `import.meta.dirname`). */
export function shared(folder: string): ViteUserConfig {
  const { name, version } = readManifest(folder);
  return defineConfig({
    resolve: { alias: [...sourceAliases, ...testing] },
    define: { __GW_VERSION__: JSON.stringify(version) },
    test: {
      name,
      root: folder,
      include: ["src/**/*.test.ts", "test/**/*.test.ts", "cases/**/*.test.ts"],
      testTimeout: 20_000,
      hookTimeout: 20_000,
      unstubEnvs: true,
      unstubGlobals: true,
      restoreMocks: true,
    },
  });
}
