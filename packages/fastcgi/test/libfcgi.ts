// The C program of the tests, compiled once for each file of tests that wants it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What it takes to compile it. */
export const LIBFCGI_NEEDS = ["gcc", "/usr/include/fcgiapp.h"] as const;

/** Compiles it into a new folder. */
export function compileLibfcgi(): { readonly program: string; readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "gw-libfcgi-"));
  const program = join(folder, "app");
  execFileSync("gcc", ["-O1", "-o", program, join(import.meta.dirname, "programs/libfcgi.c"), "-lfcgi"], {
    timeout: 60_000,
  });
  return { program, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
