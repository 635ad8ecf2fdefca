// Is a descriptor a listening socket? How a FastCGI program knows what it is.
import { fstatSync, readFileSync } from "node:fs";

/**
 * Whether a descriptor is a socket that listens; descriptor 0 of a FastCGI
 * program is one (FastCGI 1.0 §2.2).
 *
 * Linux says so exactly (`/proc/net`). Elsewhere any socket counts: ask for the
 * CGI variables first.
 */
export function isListeningSocket(fd: number): boolean {
  let inode: string;
  try {
    const found = fstatSync(fd, { bigint: true });
    if (!found.isSocket()) return false;
    inode = String(found.ino);
  } catch {
    return false;
  }
  return process.platform === "linux" ? isListed(inode) : true;
}

const ACCEPTS = 0x10000; // __SO_ACCEPTCON in the flags of /proc/net/unix
const TCP_LISTEN = "0A";

function isListed(inode: string): boolean {
  const unix = rows("/proc/net/unix").some(
    (row) => row[6] === inode && (Number.parseInt(row[3] ?? "0", 16) & ACCEPTS) !== 0,
  );
  if (unix) return true;
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((table) =>
    rows(table).some((row) => row[9] === inode && row[3] === TCP_LISTEN),
  );
}

/** The lines of a table, each cut at its blanks; none if it cannot be read. */
function rows(table: string): string[][] {
  try {
    return readFileSync(table, "latin1")
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}
