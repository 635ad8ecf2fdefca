// A fetch whose answers are bounded, for libraries that ask other servers on our behalf.
import { boundedBytes } from "./read-json.ts";

/** The part of a fetch's settings that libraries pass on. */
export type FetchSettings = Omit<RequestInit, "redirect">;

/** A fetch that follows no redirect and reads at most `maxBytes` of an answer; the time limit is the caller's signal. */
export function boundedFetch(maxBytes: number): (url: string, settings: FetchSettings) => Promise<Response> {
  return async (url, settings) => {
    const answer = await fetch(url, { ...settings, redirect: "manual" });
    const { status, statusText, headers } = answer;
    const bytes = await boundedBytes(answer, maxBytes);
    const hasBody = bytes.byteLength > 0 && ![204, 205, 304].includes(status);
    return new Response(hasBody ? new Uint8Array(bytes) : null, { status, statusText, headers });
  };
}
