// Unused files, exports and dependencies: part of `npm run packages`.
import { existsSync } from "node:fs";
import type { KnipConfig } from "knip";
import { readPackages } from "./scripts/workspace.ts";

/** Built files that nobody imports: programs, and what worker threads start with. */
const PRIVATE_ENTRIES = [
  "src/main.ts",
  "src/broker/node-helper.ts",
  "src/adapters/asgi-thread.ts",
  "src/modules/thread-loader.ts",
];

const packages = readPackages(import.meta.dirname).map(({ folder, path, entries }) => {
  const privateEntries = PRIVATE_ENTRIES.filter((file) => existsSync(`${path}/${file}`));
  const entry = [...entries.map(({ source }) => source), ...privateEntries, "test/**/*.{ts,mjs}"];
  // Which of our packages may use which is checked by the house; tests may use all.
  const ignoreDependencies = [/^@gw\//];
  return [
    `packages/${folder}`,
    { entry, project: ["{src,test}/**/*.{ts,mjs}", "bin/*.js"], ignoreDependencies },
  ] as const;
});

const config: KnipConfig = {
  workspaces: {
    ".": { entry: ["scripts/*.{ts,mjs}"], project: ["scripts/**/*.{ts,mjs}", "*.ts"] },
    ...Object.fromEntries(packages),
    // Samples and cases are programs: every file of theirs is started by somebody.
    "apps/*": { entry: ["**/*.{ts,mjs}"] },
    conformance: { entry: ["**/*.ts"], ignoreDependencies: [/^@gw\//] },
    bench: { entry: ["**/*.{ts,mjs}"], ignoreDependencies: [/^@gw\//] },
  },
  // Started by name from scripts/, named in a configuration file's $schema, or loaded by a name that is made at run time.
  ignoreDependencies: ["@arethetypeswrong/cli", "publint", "turbo", "@changesets/config", "pyodide"],
  // Programs of the system that tests and benchmarks start; .ci/run installs them.
  ignoreBinaries: [
    "cgi-fcgi",
    "fcgiwrap",
    "gcc",
    "getent",
    "go",
    "htpasswd",
    "lighttpd",
    "logrotate",
    "mariadbd",
    "mkfifo",
    "openssl",
    "perl",
    "php-fpm8.2",
    "promtool",
    "redis-server",
    "spawn-fcgi",
    "systemd-analyze",
    "systemd-notify",
    "systemd-socket-activate",
    "unshare",
  ],
  ignoreExportsUsedInFile: true,
};

export default config;
