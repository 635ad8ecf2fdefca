// @gw/middleware: every layer; each is also an entry of its own, such as @gw/middleware/session.
export { type AccessLogOptions, accessLog } from "./access-log.ts";
export { type ApiKeyOptions, apiKey, hashKey, type KeyOwner, type KeysOptions, newKey } from "./api-key.ts";
export { type BasicAuthOptions, type BasicCredentials, basicAuth, parseBasic } from "./basic-auth.ts";
export { type BearerAuthOptions, bearerAuth, parseBearer } from "./bearer-auth.ts";
export { type BodyLimitOptions, bodyLimit } from "./body-limit.ts";
export { type ClientCertificate, type ClientCertificateOptions, clientCertificate } from "./client-certificate.ts";
export { type Coding, type CompressOptions, compress, isCompressible } from "./compress.ts";
export { conditionalAnswer, conditionalGet } from "./conditional-get.ts";
export { CookieError, type CookieOptions, type Cookies, type CookiesOptions, type SetCookie } from "./cookies.ts";
export { cookies, cookiesOf, findCookie, readCookies, writeSetCookie } from "./cookies.ts";
export { type CorsOptions, cors, isPreflight } from "./cors.ts";
export { type CsrfOptions, csrf, csrfToken } from "./csrf.ts";
export { decompress } from "./decompress.ts";
export { type DigestAlgorithm, type DigestAuthOptions, type DigestCredentials, digestAuth } from "./digest-auth.ts";
export { type DigestFacts, type DigestUser, digestHashes, parseDigest, responseOf } from "./digest-auth.ts";
export { type ErrorPage, type ErrorPagesOptions, errorPages } from "./error-pages.ts";
export { type EncryptedCookiesOptions, encryptedCookies, encryptedCookiesOf } from "./encrypted-cookies.ts";
export { type EtagOptions, etag, etagOf } from "./etag.ts";
export { type FormLoginOptions, formLogin, type LoginAlternative } from "./form-login.ts";
export type { LoginTexts, LoginThrottleOptions } from "./form-login.ts";
export { type Flash, type FlashMessage, type FlashOptions, flash, flashOf } from "./flash.ts";
export {
  answeredUser,
  type ForwardAuthOptions,
  forwardAuth,
  oauth2ProxyFields,
  questionFields,
} from "./forward-auth.ts";
export { type GatewayIdentityOptions, gatewayIdentity, type IdentityKey } from "./gateway-identity.ts";
export { type IdentityOptions, type SignIdentityOptions, signIdentity } from "./gateway-identity.ts";
export { head } from "./head.ts";
export { type HttpsRedirectOptions, httpsRedirect, httpsUrl } from "./https-redirect.ts";
export { type IpRestrictionOptions, ipRestriction } from "./ip-restriction.ts";
export { type LimitConcurrencyOptions, limitConcurrency } from "./limit-concurrency.ts";
export { type MethodOverrideOptions, methodOverride } from "./method-override.ts";
export { type MetricsOptions, metrics } from "./metrics.ts";
export type { Account, AccountsOptions, UserEntry, VerifyPassword } from "./passwords.ts";
export { type HashPasswordOptions, hashPassword, type VerifyPasswordOptions, verifyPassword } from "./passwords.ts";
export { type ProxyHeadersOptions, proxyHeaders } from "./proxy-headers.ts";
export { type RateLimitOptions, rateLimit } from "./rate-limit.ts";
export { type RedisClient, type RedisCountersOptions, redisCounters } from "./redis-counters.ts";
export { headerUser, type RemoteUserOptions, remoteUser, variableUser } from "./remote-user.ts";
export { type RequestIdOptions, requestId, requestIdOf } from "./request-id.ts";
export { mayPass, type RequireUserOptions, requireUser, userOf } from "./require-user.ts";
export { type SecurityHeadersOptions, securityHeaders } from "./security-headers.ts";
export { type ServeStaticOptions, serveStatic } from "./serve-static.ts";
export { type ServerTimingOptions, serverTiming, type Timings, timingsOf } from "./server-timing.ts";
export { fileStore, localStore, memoryStore, redisStore, sealedStore, sqliteStore } from "./session/public.ts";
export { hasSession, hasSqlite, SessionStoreError, session, sessionCopy, sessionOf } from "./session/public.ts";
export type { FileStoreOptions, LocalStoreOptions, MemoryStoreOptions, RedisStoreOptions } from "./session/public.ts";
export type { SealedStore, SealedStoreOptions, SessionCookieOptions, SqliteStoreOptions } from "./session/public.ts";
export type { Immutable, JsonValue, Session, SessionCopy, SessionOptions } from "./session/public.ts";
export type { SessionRecord, SessionStore } from "./session/public.ts";
export { type ShowExceptionsOptions, showExceptions } from "./show-exceptions.ts";
export { type SignedCookiesOptions, signedCookies, signedCookiesOf } from "./signed-cookies.ts";
export { type TimeoutOptions, timeout } from "./timeout.ts";
export { type TrustedHostOptions, trustedHost } from "./trusted-host.ts";
