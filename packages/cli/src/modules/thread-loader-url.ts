// Where the module is that loads apps in worker threads.
import { fs } from "../builtins.ts";

/** URL of the built `thread-loader`: beside this module, or in `dist` as seen from the sources. */
export function threadLoaderUrl(): string {
  const places = ["./thread-loader.js", "../../dist/thread-loader.js"].map((path) => new URL(path, import.meta.url));
  return (places.find((url) => fs.existsSync(url)) ?? (places[0] as URL)).href;
}
