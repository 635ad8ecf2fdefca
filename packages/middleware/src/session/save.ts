// Saving a session: compare and swap, merge with what parallel requests saved, never bring back what has ended (R-M9).
import { andThen, GatewayError, type MaybePromise } from "@gw/core";
import type { SessionChanges, SessionValues } from "./changes.ts";
import type { Clock } from "./clock.ts";
import { type SessionKeeper, SessionStoreError } from "./guarded-store.ts";
import { freezeParsed, type JsonValue } from "./json-value.ts";
import { expiryOf, type SessionLimits } from "./limits.ts";
import type { SessionRecord } from "./store.ts";
import { keyOf, newToken } from "./token.ts";

/** A record and the key it was found under. */
export interface HeldSession {
  readonly key: string;
  readonly record: SessionRecord;
}

/** What all saves of one layer share. */
export interface SaveSettings {
  readonly store: SessionKeeper;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  /** Whether the cookie carries the session itself, so that each change needs a new one. */
  readonly isSealed: boolean;
  /** Most characters of a session's data. */
  readonly maxChars: number;
}

/** What one request wants saved. */
export interface SaveJob {
  readonly changes: SessionChanges;
  /** The values as the request sees them, its changes made. */
  readonly values: ReadonlyMap<string, JsonValue>;
  /** Who is logged in from now on; `undefined`: no change. */
  readonly user: string | null | undefined;
  /** Whether the session gets a new id. */
  readonly isRotation: boolean;
  /** Whether a Set-Cookie can still go out. */
  readonly canIssue: boolean;
}

/** How a save went. */
export interface SaveResult {
  /** What the store holds now; `null`: nothing. */
  readonly held: HeldSession | null;
  /** A new id for the browser; `null`: the old one stays. */
  readonly token: string | null;
  /** The values saved, merged with those of parallel requests; `null`: as the job's. */
  readonly merged: SessionValues | null;
  /** Whether the session had ended meanwhile, so that the changes were dropped. */
  readonly wasEnded: boolean;
}

const MAX_ATTEMPTS = 100;

/**
 * Saves a request's changes.
 *
 * When a parallel request was faster, its record is read and the changes are
 * made again on top. When the session has ended meanwhile nothing is saved,
 * except for a login: that begins a new session without the old values.
 *
 * @throws GatewayError `GW_SESSION_LATE` if a new id is needed and none can be sent; `GW_SESSION_TOO_LARGE`;
 *   SessionStoreError `GW_SESSION_STORE`.
 */
export function saveSession(settings: SaveSettings, held: HeldSession | null, job: SaveJob): MaybePromise<SaveResult> {
  return held === null ? create(settings, job) : swap(settings, held, job, null, 1);
}

/** The values of a record. */
export function valuesOf(record: SessionRecord): SessionValues {
  let data: unknown;
  try {
    data = JSON.parse(record.data);
  } catch (cause) {
    throw new SessionStoreError("the session store gave data that is no JSON", { cause });
  }
  return new Map(Object.entries(freezeParsed(data) as Record<string, JsonValue>));
}

function create(settings: SaveSettings, job: SaveJob): MaybePromise<SaveResult> {
  const { store, clock, limits, maxChars } = settings;
  if (job.values.size === 0 && (job.user ?? null) === null) {
    return { held: null, token: null, merged: null, wasEnded: false }; // nothing worth a session
  }
  checkCanIssue(job);
  const token = newToken();
  const key = keyOf(token);
  const nowMs = clock();
  const record: SessionRecord = {
    version: 1,
    createdMs: nowMs,
    expiresMs: expiryOf(nowMs, nowMs, limits),
    user: job.user ?? null,
    data: write(job.values, maxChars),
  };
  return andThen(store.create(key, record), () => ({ held: { key, record }, token, merged: null, wasEnded: false }));
}

function swap(
  settings: SaveSettings,
  held: HeldSession,
  job: SaveJob,
  merged: SessionValues | null,
  attempt: number,
): MaybePromise<SaveResult> {
  const { store, clock, limits, maxChars } = settings;
  if (job.isRotation || settings.isSealed) checkCanIssue(job);
  const { version } = held.record;
  const nowMs = clock();
  // A login begins a new session: the absolute limit counts from it.
  const createdMs = job.isRotation && typeof job.user === "string" ? nowMs : held.record.createdMs;
  const record: SessionRecord = {
    version: version + 1,
    createdMs,
    expiresMs: expiryOf(createdMs, nowMs, limits),
    user: job.user === undefined ? held.record.user : job.user,
    data: write(merged ?? job.values, maxChars),
  };
  const token = job.isRotation ? newToken() : null;
  const key = token === null ? held.key : keyOf(token);
  const isSwapped = token === null ? store.replace(key, version, record) : store.move(held.key, version, key, record);
  return andThen(isSwapped, (done) =>
    done
      ? { held: { key, record }, token, merged, wasEnded: false }
      : andThen(store.read(held.key), (latest) => retry(settings, held.key, latest, job, attempt)),
  );
}

function retry(
  settings: SaveSettings,
  key: string,
  latest: SessionRecord | null,
  job: SaveJob,
  attempt: number,
): MaybePromise<SaveResult> {
  if (latest === null) {
    if (typeof job.user !== "string") return { held: null, token: null, merged: null, wasEnded: true };
    const values = job.changes.applyTo(new Map());
    return andThen(create(settings, { ...job, values }), (result) => ({ ...result, merged: values }));
  }
  if (attempt >= MAX_ATTEMPTS) {
    throw new SessionStoreError(`a session was changed by others ${MAX_ATTEMPTS} times while it was saved`);
  }
  return swap(settings, { key, record: latest }, job, job.changes.applyTo(valuesOf(latest)), attempt + 1);
}

function checkCanIssue({ canIssue }: SaveJob): void {
  if (canIssue) return;
  throw new GatewayError(
    "GW_SESSION_LATE",
    500,
    "a session can begin, or get a new id, only before the head of the answer leaves: its cookie goes there",
  );
}

function write(values: ReadonlyMap<string, JsonValue>, maxChars: number): string {
  const data = JSON.stringify(Object.fromEntries(values));
  if (data.length <= maxChars) return data;
  throw new GatewayError(
    "GW_SESSION_TOO_LARGE",
    500,
    `a session holds ${data.length} characters, more than ${maxChars}`,
  );
}
