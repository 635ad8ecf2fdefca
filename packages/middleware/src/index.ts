// @gw/middleware: every layer; each is also an entry of its own, such as @gw/middleware/session.
export { type AccessLogOptions, accessLog } from "./access-log.ts";
export { type BasicAuthOptions, type BasicCredentials, basicAuth, parseBasic } from "./basic-auth.ts";
export { CookieError, type CookieOptions, type Cookies, type CookiesOptions, type SetCookie } from "./cookies.ts";
export { cookies, cookiesOf, findCookie, readCookies, writeSetCookie } from "./cookies.ts";
export { type ErrorPage, type ErrorPagesOptions, errorPages } from "./error-pages.ts";
export { type FormLoginOptions, formLogin, type LoginTexts, type LoginThrottleOptions } from "./form-login.ts";
export type { Account, AccountsOptions, UserEntry, VerifyPassword } from "./passwords.ts";
export { type HashPasswordOptions, hashPassword, type VerifyPasswordOptions, verifyPassword } from "./passwords.ts";
export { mayPass, type RequireUserOptions, requireUser } from "./require-user.ts";
export { hasSession, type Immutable, type JsonValue, type Session, type SessionOptions } from "./session.ts";
export { type LocalStoreOptions, localStore, type SessionCookieOptions, session, sessionOf } from "./session.ts";
export { type SessionRecord, type SessionStore, SessionStoreError } from "./session.ts";
export { type FileStoreOptions, fileStore } from "./session/file.ts";
export { type MemoryStoreOptions, memoryStore } from "./session/memory.ts";
export { hasSqlite, type SqliteStoreOptions, sqliteStore } from "./session/sqlite.ts";
