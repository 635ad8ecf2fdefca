// Time in access logs: written once a second.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** What may stand in the braces of `%{…}t`; Apache's strftime is not there. */
export const TIME_FORMATS: readonly string[] = ["", "sec", "msec", "usec", "iso"];

let lastSecond = Number.NaN;
let lastText = "";

/**
 * A time as Apache writes it, `[10/Oct/2025:13:55:36 +0200]`, local.
 *
 * @param format `""`, or `sec`, `msec`, `usec` since the epoch, or `iso`
 */
export function logTime(ms: number, format: string): string {
  if (format === "sec") return String(Math.floor(ms / 1_000));
  if (format === "msec") return String(Math.floor(ms));
  if (format === "usec") return String(Math.floor(ms * 1_000));
  if (format === "iso") return new Date(ms).toISOString();
  const second = Math.floor(ms / 1_000);
  if (second !== lastSecond) {
    lastText = commonTime(new Date(ms));
    lastSecond = second;
  }
  return lastText;
}

function commonTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  return `[${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}]`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
