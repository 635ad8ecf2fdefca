// Which names hold the text of a script, and in which folders no script runs. Byte strings.
import { posix } from "node:path";

/** Ends of names that PHP, or a configuration of it that is often met, takes for scripts or includes; besides `split`. */
const SCRIPTS: readonly string[] = [".php", ".pht", ".phtml", ".phpt", ".phps", ".phar", ".inc"];

/**
 * The names of files that are never sent: one of the ends of scripts stands in them, in any case, and what follows
 * it is the end of the name or no letter. So `x.php5`, `x.php~`, `x.php-bak`, `x.php (copy)`, `#x.php#` and `readme.php.txt`
 * are, and `php.png` and `x.phpinfo.txt` are not.
 *
 * @param split ends of names that are scripts here
 */
export function scriptText(split: readonly string[]): RegExp {
  const ends = [...new Set([...SCRIPTS, ...split])].filter((end) => end !== "").map(escaped);
  return new RegExp(`(?:${ends.join("|")})(?![a-z])[^/]*$`, "i");
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/**
 * Whether a path lies in one of the folders, whatever the case of its letters, which some file systems do not tell apart.
 *
 * @param folders with a slash at both ends
 */
export function isBelow(path: string, folders: readonly string[]): boolean {
  const plain = posix.normalize(path).replace(/^\/+/, "/").toLowerCase();
  return folders.some((folder) => plain.startsWith(folder.toLowerCase()));
}
