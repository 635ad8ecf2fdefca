// Apache's htpasswd files: read whole, put into place in one step.
import { readFileSync, statSync } from "node:fs";
import { GatewayError, type Logger } from "@gw/core";
import { UserTable } from "./table.ts";

/**
 * The users of an htpasswd text: `name:hash` lines; blank lines and those that start with `#` are skipped.
 *
 * Of a repeated name the first counts, as in Apache.
 *
 * @throws GatewayError `GW_HTPASSWD` naming the line.
 */
export function parseHtpasswd(text: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    if (colon < 1) throw new GatewayError("GW_HTPASSWD", 500, `line ${index + 1} is not "name:hash"`);
    const user = line.slice(0, colon);
    if (!users.has(user)) users.set(user, (line.slice(colon + 1).split(":", 1)[0] as string).trim());
  }
  return users;
}

/** Settings of an HtpasswdFile. */
export interface HtpasswdFileOptions {
  readonly path: string;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly isPlainAllowed: boolean;
}

const LOOK_EVERY_MS = 1_000;

/** An htpasswd file that is read again when it has changed. A file that cannot be read or has a fault changes nothing. */
export class HtpasswdFile {
  readonly #options: HtpasswdFileOptions;
  #table: UserTable | null = null;
  #stamp = "";
  #lookedMs = 0;
  #log: Logger | null = null;

  constructor(options: HtpasswdFileOptions) {
    this.#options = options;
  }

  /** Reads the file. @throws GatewayError `GW_HTPASSWD` with the file's name and the reason. */
  load(log: Logger | null = null): void {
    this.#log = log ?? this.#log;
    const { path, groups, isPlainAllowed } = this.#options;
    try {
      const stamp = stampOf(path);
      const users = [...parseHtpasswd(readFileSync(path, "utf8"))].map(
        ([user, password]) => [user, { password, groups: groups[user] ?? [] }] as const,
      );
      this.#table = new UserTable(users, isPlainAllowed);
      this.#stamp = stamp;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new GatewayError("GW_HTPASSWD", 500, `${path}: ${reason}`, { cause });
    }
  }

  /** The users now: looks at most once a second whether the file has changed. */
  table(): UserTable {
    const nowMs = performance.now();
    if (this.#table !== null && nowMs - this.#lookedMs < LOOK_EVERY_MS) return this.#table;
    this.#lookedMs = nowMs;
    if (this.#table === null) this.load();
    else this.#loadIfChanged();
    return this.#table as unknown as UserTable;
  }

  #loadIfChanged(): void {
    const { path } = this.#options;
    try {
      if (stampOf(path) === this.#stamp) return;
      this.load();
      this.#log?.info({ path }, "the htpasswd file was read again");
    } catch (err) {
      this.#log?.error({ err, path }, "the htpasswd file cannot be used; its users stay as they were");
    }
  }
}

function stampOf(path: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(path);
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
