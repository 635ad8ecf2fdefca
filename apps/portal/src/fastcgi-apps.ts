// The portal's FastCGI programs: one in TypeScript, and PHP where it is on the machine.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { App } from "@gw/core";
import { fastcgiPool, phpFpm } from "@gw/fastcgi";

/** The pool of a program that is itself served by `gw`, which sees its descriptor 0 and becomes a FastCGI responder. */
export function visitsPool(root: string): App {
  const gw = join(fileURLToPath(import.meta.resolve("@gw/cli/package.json")), "../bin/gw.js");
  return fastcgiPool({
    command: process.execPath,
    args: [gw, "visits.ts", "--log-level", "warn"],
    cwd: join(root, "fastcgi"),
    min: 1,
    max: 2,
    requestsPerProcess: 32, // an event loop
    maxRequests: 1_000,
  });
}

/** The PHP pages; `null` without PHP. php-cgi before PHP-FPM: as root, its children are another user, who may not enter our folder. */
export function phpPages(root: string): App | null {
  const command = ["php-cgi", "php-fpm"].find(isOnPath);
  if (command === undefined) return null;
  return phpFpm({
    root: join(root, "php"),
    start: { command, maxChildren: 2 },
    tryFiles: ["$path", "$path/", "/index.php"],
  });
}

function isOnPath(program: string): boolean {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
