// Adds to package-lock.json the optional platform packages npm left out.
//
// npm writes only the platform packages of the system it runs on when a registry does not describe the others,
// and the next `npm ci` elsewhere fails with "Missing: … from lock file" (npm issue 9846).
// Plain JavaScript, because it also has to run on Node 20.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = [
  "arm",
  "arm64",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "ppc64le",
  "riscv64",
  "s390x",
  "x64",
  "wasm32",
];
/** Words package authors use for what npm calls something else. */
const synonyms = { windows: "win32", 64: "x64", armv7: "arm", loongarch64: "loong64" };

/**
 * Reads the platform out of a package name: `@esbuild/linux-x64` → `{ os: ["linux"], cpu: ["x64"] }`.
 * @param {string} name
 * @returns {{ os?: string[], cpu?: string[], libc?: string[] } | null} null: the name says no platform
 */
export function platformOf(name) {
  const words = (name.split("/").at(-1) ?? "").split("-").map((word) => synonyms[word] ?? word);
  const at = words.findIndex((word) => systems.includes(word));
  if (at === -1) return words.includes("wasm32") ? { cpu: ["wasm32"] } : null;
  const os = words[at];
  const rest = words.slice(at + 1);
  const cpu = rest.find((word) => processors.includes(word));
  const musl = rest.some((word) => word.startsWith("musl"));
  const glibc = rest.some((word) => word.startsWith("gnu"));
  return {
    os: [os],
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(os === "linux" && musl ? { libc: ["musl"] } : {}),
    ...(os === "linux" && glibc ? { libc: ["glibc"] } : {}),
  };
}

/** Finds the lock entry that `name` means when the package at `from` asks for it, as Node resolves it. */
function resolveEntry(packages, from, name) {
  for (let folder = from; ; ) {
    const key = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[key]) return key;
    if (folder === "") return null;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
  }
}

/**
 * Completes a parsed lock file in place.
 * @returns {string[]} the keys it added
 */
export function completeLock(lock) {
  const { packages } = lock;
  const added = [];
  for (const [key, entry] of Object.entries({ ...packages })) {
    const wanted = Object.entries(entry.optionalDependencies ?? {}).filter(([, version]) => /^\d/.test(version));
    const isPresent = ([name, version]) => packages[resolveEntry(packages, key, name) ?? ""]?.version === version;
    const sibling = wanted.find(isPresent)?.[0];
    const siblingKey = sibling && resolveEntry(packages, key, sibling);
    const folder = siblingKey
      ? siblingKey.slice(0, -sibling.length)
      : key === ""
        ? "node_modules/"
        : `${key}/node_modules/`;
    for (const [name, version] of wanted) {
      const platform = platformOf(name);
      if (platform === null || isPresent([name, version])) continue;
      // The shared folder may hold another version for another parent; then it goes below its own parent.
      const place = packages[folder + name] ? `${key}/node_modules/${name}` : folder + name;
      packages[place] = { version, ...platform, ...(entry.dev ? { dev: true } : {}), optional: true };
      added.push(place);
    }
  }
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  return added;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const file = process.argv[2] ?? "package-lock.json";
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const added = completeLock(lock);
  if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${file}: ${added.length} platform packages added`);
}
