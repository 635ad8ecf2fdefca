// The public names of sessions and their stores, for the package's entry.
export {
  hasSession,
  type Immutable,
  type JsonValue,
  type LocalStoreOptions,
  localStore,
  type Session,
  type SessionCookieOptions,
  type SessionCopy,
  type SessionOptions,
  type SessionRecord,
  type SessionStore,
  SessionStoreError,
  session,
  sessionCopy,
  sessionOf,
} from "../session.ts";
export { type FileStoreOptions, fileStore } from "./file.ts";
export { type MemoryStoreOptions, memoryStore } from "./memory.ts";
export { type RedisStoreOptions, redisStore } from "./redis.ts";
export { type SealedStore, type SealedStoreOptions, sealedStore } from "./sealed.ts";
export { hasSqlite, type SqliteStoreOptions, sqliteStore } from "./sqlite.ts";
