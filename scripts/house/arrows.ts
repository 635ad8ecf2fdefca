// Which package may import which. The drawing of the house; everything else follows from it.
import { importsOf, packageOf } from "./imports.ts";
import { type Finding, findingAt, packageSources, type Repository } from "./repository.ts";

/** What one package may import. */
interface Arrows {
  /** Folders of packages in this repository. */
  readonly own: readonly string[];
  /** Packages from npm; `docs/decisions/0002-dependencies.md` says why. */
  readonly foreign: readonly string[];
}

const carriers = ["core", "http", "fastcgi", "cgi", "python", "wsgi", "asgi", "middleware"];

/** The arrows, by package folder. A package that is not listed here may not exist. */
export const arrows: Readonly<Record<string, Arrows>> = {
  core: { own: [], foreign: [] },
  http: { own: ["core"], foreign: ["ws"] },
  fastcgi: { own: ["core"], foreign: [] },
  cgi: { own: ["core", "fastcgi"], foreign: [] },
  python: { own: ["core"], foreign: ["pyodide"] },
  wsgi: { own: ["core", "python"], foreign: [] },
  asgi: { own: ["core", "python", "wsgi"], foreign: [] },
  middleware: {
    own: ["core"],
    foreign: [
      "cookie",
      "bcryptjs",
      "jose",
      "openid-client",
      "redis",
      "ioredis",
      "@fastify/busboy",
      "@opentelemetry/api",
    ],
  },
  testing: { own: carriers, foreign: ["vitest"] },
  cli: { own: [...carriers, "testing"], foreign: ["jiti"] },
  "create-gw": { own: [], foreign: [] },
};

/** Finds imports, and dependencies in package.json, that no arrow allows. */
export function checkArrows(repository: Repository): Finding[] {
  return [...checkManifests(repository), ...checkImports(repository)];
}

function checkManifests({ packages }: Repository): Finding[] {
  return packages.flatMap(({ folder, manifest }) => {
    const file = `packages/${folder}/package.json`;
    const allowed = allowedFor(folder);
    if (allowed === null) {
      return [
        { file, line: 1, message: `package "${folder}" is not in the drawing; add it to scripts/house/arrows.ts` },
      ];
    }
    const named = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    return named
      .filter((name) => !allowed.includes(name))
      .map((name) => ({ file, line: 1, message: `depends on ${name}; ${describe(folder, allowed)}` }));
  });
}

function checkImports(repository: Repository): Finding[] {
  const manifests = new Map(repository.packages.map(({ folder, manifest }) => [folder, manifest]));
  return packageSources(repository).flatMap((file) => {
    const folder = file.path.split("/")[1] ?? "";
    const allowed = allowedFor(folder) ?? [];
    const manifest = manifests.get(folder);
    const declared = { ...manifest?.dependencies, ...manifest?.peerDependencies };
    return importsOf(file).flatMap(({ specifier, node }) => {
      const name = packageOf(specifier);
      if (name === null) return [];
      if (name === manifest?.name)
        return [findingAt(file, node, `imports its own package ${name}; use a relative path`)];
      if (!allowed.includes(name)) return [findingAt(file, node, `imports ${name}; ${describe(folder, allowed)}`)];
      if (declared[name] === undefined)
        return [findingAt(file, node, `imports ${name}, which package.json does not list`)];
      return [];
    });
  });
}

function allowedFor(folder: string): string[] | null {
  const entry = arrows[folder];
  return entry ? [...entry.own.map((name) => `@gw/${name}`), ...entry.foreign] : null;
}

function describe(folder: string, allowed: readonly string[]): string {
  return `${folder} may import ${allowed.length > 0 ? allowed.join(", ") : "no package"}`;
}
