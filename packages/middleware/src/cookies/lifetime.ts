// When a signed or encrypted cookie was made and how long it holds, as text that goes into it (R-M7).

/** The time of a cookie that is made now. @param maxAgeSeconds its own limit; absent: the layer's alone */
export function writeTime(nowMs: number, maxAgeSeconds: number | undefined): string {
  const made = Math.floor(nowMs / 1_000).toString(36);
  return maxAgeSeconds === undefined ? made : `${made}-${Math.max(0, maxAgeSeconds).toString(36)}`;
}

const TIME = /^([0-9a-z]{1,10})(?:-([0-9a-z]{1,10}))?$/;

/** Whether a cookie of this time still holds: neither older than `maxAgeMs` nor than its own limit. */
export function isInTime(time: string, nowMs: number, maxAgeMs: number): boolean {
  const [, made, own] = TIME.exec(time) ?? [];
  if (made === undefined) return false;
  const ageMs = nowMs - Number.parseInt(made, 36) * 1_000;
  return ageMs <= maxAgeMs && (own === undefined || ageMs <= Number.parseInt(own, 36) * 1_000);
}
