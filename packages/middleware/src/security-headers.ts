// Headers that tell browsers to be careful; by default only such as break no existing app (R-M13).
import { type Answer, GatewayError, type GatewayRequest, HeaderList, layer, type Middleware } from "@gw/core";

/** Settings of `securityHeaders`. What the app says itself stays; `false` leaves a field out. */
export interface SecurityHeadersOptions {
  /** `X-Content-Type-Options`. @default "nosniff" */
  contentTypeOptions?: "nosniff" | false;
  /** `X-Frame-Options`: who may show pages in a frame. @default "SAMEORIGIN" */
  frameOptions?: "SAMEORIGIN" | "DENY" | false;
  /** `Referrer-Policy`. @default "strict-origin-when-cross-origin" */
  referrerPolicy?: string | false;
  /** `X-Permitted-Cross-Domain-Policies`. @default "none" */
  crossDomainPolicies?: string | false;
  /** `Strict-Transport-Security`, on https only. Risk: for `maxAgeSeconds` no browser that saw it uses plain http on this host, on any port. @default false */
  hsts?: { readonly maxAgeSeconds: number; readonly includeSubDomains?: boolean; readonly preload?: boolean } | false;
  /** `Content-Security-Policy`, or one made for each request. Risk: a policy that does not fit breaks pages. @default false */
  contentSecurityPolicy?: string | ((request: GatewayRequest) => string) | false;
  /** `Cross-Origin-Opener-Policy`. Risk: cuts pages off from windows of other sites that opened them. @default false */
  openerPolicy?: "same-origin" | "same-origin-allow-popups" | "noopener-allow-popups" | "unsafe-none" | false;
  /** `Cross-Origin-Resource-Policy`. Risk: other sites can no longer show images of this one. @default false */
  resourcePolicy?: "same-origin" | "same-site" | "cross-origin" | false;
  /** `Permissions-Policy`, such as `"camera=(), geolocation=(self)"`. @default false */
  permissionsPolicy?: string | false;
  /** Fields that are removed from answers. @default ["X-Powered-By"] */
  hide?: readonly string[];
}

/** Adds security headers to responses; those that the app set stay as they are. */
export function securityHeaders(options: SecurityHeadersOptions = {}): Middleware {
  const { contentSecurityPolicy: policy = false, hsts = false, hide = ["X-Powered-By"] } = options;
  const fixed = fixedFields(options);
  const transport = hsts === false ? null : (["Strict-Transport-Security", hstsValue(hsts)] as const);
  return layer({
    name: "securityHeaders",
    onResponse(answer, request) {
      if (answer.kind === "accept") return answer;
      const fields = [...fixed];
      if (typeof policy === "function") fields.push(["Content-Security-Policy", policy(request)]);
      if (transport !== null && request.scheme === "https") fields.push(transport);
      return withDefaults(answer, fields, hide);
    },
  });
}

type Field = readonly [name: string, value: string];

function fixedFields(options: SecurityHeadersOptions): readonly Field[] {
  const {
    contentTypeOptions = "nosniff",
    frameOptions = "SAMEORIGIN",
    referrerPolicy = "strict-origin-when-cross-origin",
    crossDomainPolicies = "none",
    contentSecurityPolicy = false,
    openerPolicy = false,
    resourcePolicy = false,
    permissionsPolicy = false,
  } = options;
  const fields: readonly (readonly [string, string | false])[] = [
    ["X-Content-Type-Options", contentTypeOptions],
    ["X-Frame-Options", frameOptions],
    ["Referrer-Policy", referrerPolicy],
    ["X-Permitted-Cross-Domain-Policies", crossDomainPolicies],
    ["Content-Security-Policy", typeof contentSecurityPolicy === "function" ? false : contentSecurityPolicy],
    ["Cross-Origin-Opener-Policy", openerPolicy],
    ["Cross-Origin-Resource-Policy", resourcePolicy],
    ["Permissions-Policy", permissionsPolicy],
  ];
  return fields.filter((field): field is Field => field[1] !== false);
}

function hstsValue({
  maxAgeSeconds,
  includeSubDomains = false,
  preload = false,
}: Exclude<SecurityHeadersOptions["hsts"], false | undefined>): string {
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0) {
    throw new GatewayError("GW_SECURITY_HEADERS", 500, `maxAgeSeconds is a count of seconds, found ${maxAgeSeconds}`);
  }
  return `max-age=${maxAgeSeconds}${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
}

function withDefaults(answer: Answer, fields: readonly Field[], hide: readonly string[]): Answer {
  const kept = answer.headers.without(...hide);
  const missing = fields.filter(([name]) => !kept.has(name));
  if (missing.length === 0) return kept === answer.headers ? answer : { ...answer, headers: kept };
  return { ...answer, headers: HeaderList.fromWire([...kept.toFlat(), ...HeaderList.from(missing).toFlat()]) };
}
