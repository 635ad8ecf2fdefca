// How the status page writes numbers, times and states. Pure.

/** For text between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** A state with its dot. */
export function stateText(state: string, words: string = state): string {
  return `<span class="state ${state}">${words}</span>`;
}

/** `45 s`, `3 min`, `26 h`, `5 days`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3_600);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

/** `5 ms`, `2.5 s`. */
export function secondsText(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return "∞";
  return seconds < 1 ? `${Math.round(seconds * 1_000)} ms` : `${Math.round(seconds * 10) / 10} s`;
}

/** The bound of a bucket: what is above the last one is above it. */
export function boundText(seconds: number | null, last: number): string {
  if (seconds === null) return "–";
  return seconds === Number.POSITIVE_INFINITY ? `> ${secondsText(last)}` : `≤ ${secondsText(seconds)}`;
}

/** `103 MB`, `1.2 GB`. */
export function bytesText(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** `1,234`, `0.4`. */
export function numberText(value: number): string {
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}
