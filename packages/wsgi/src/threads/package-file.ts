// Programs of this package that run in threads.
import { existsSync } from "node:fs";

/**
 * The URL of a built program: beside the code that asks once built, in `dist` as seen from the sources.
 *
 * @param from `import.meta.url` of who asks
 */
export function threadProgram(name: string, from: string): URL {
  for (const path of [`./${name}`, `../${name}`, `../../dist/${name}`]) {
    const url = new URL(path, from);
    if (existsSync(url)) return url;
  }
  throw new Error(`${name} is missing beside ${from}: bundled into one file?`);
}
