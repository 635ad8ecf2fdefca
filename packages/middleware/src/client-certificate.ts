// A certificate of the client becomes the principal: verified by the carrier, or by a front server that says so beside the request.
import {
  andThen,
  GatewayError,
  type GatewayRequest,
  layer,
  type MaybePromise,
  type Middleware,
  withPrincipal,
} from "@gw/core";
import { type ClientCertificate, connectionCertificate, frontCertificate } from "./client-certificate/certificate.ts";
import type { KeyOwner } from "./keys/key-table.ts";
import { refusal } from "./pages/refusal.ts";

export type { ClientCertificate } from "./client-certificate/certificate.ts";
export type { KeyOwner } from "./keys/key-table.ts";

/** Settings of `clientCertificate`. */
export interface ClientCertificateOptions {
  /** Which name of the certificate is the user's. @default "commonName" */
  user?: "commonName" | "email" | "uri" | "fingerprint256";
  /** Says whose a certificate is, instead; `null`: nobody's, 403. */
  owner?: (certificate: ClientCertificate, request: GatewayRequest) => MaybePromise<KeyOwner | null>;
  /** SHA-256 fingerprints of the only certificates that count, hexadecimal, with or without colons. @default every verified one */
  fingerprints?: readonly string[];
  /**
   * Where the certificate comes from: the TLS connection, or `"front"`, a front server's variables SSL_CLIENT_VERIFY and
   * SSL_CLIENT_CERT (FastCGI, CGI, or named fields of listed peers over HTTP). Risk: the front server must set or clear both
   * on every request. @default "connection"
   */
  from?: "connection" | "front";
  /** What a request without a certificate means: `"refuse"` is 403, `"pass"` lets it through as nobody's. @default "refuse" */
  missing?: "refuse" | "pass";
}

/**
 * Lets through requests and sockets with a client certificate, as principal of type `"certificate"`.
 *
 * The carrier must ask for certificates and verify them: `tls: { clientCertificates, clientCaFile }` of `serve`. One that no
 * authority of that file has signed does not arrive here; without the file, any authority would do that Node knows. One without the name that is looked for, with two of them, or
 * that is not listed is 403.
 *
 * @throws GatewayError `GW_CLIENT_CERTIFICATE` for a fingerprint that is none.
 */
export function clientCertificate(options: ClientCertificateOptions = {}): Middleware {
  const { user = "commonName", from = "connection", missing = "refuse" } = options;
  const find = from === "front" ? frontCertificate : connectionCertificate;
  const pinned = options.fingerprints === undefined ? null : new Set(options.fingerprints.map(checkedFingerprint));
  const owner = options.owner ?? ((certificate): KeyOwner | null => namedOwner(certificate, user));
  const forbidden = refusal(403);
  return layer({
    name: "clientCertificate",
    onRequest(request) {
      const certificate = find(request);
      if (certificate === null) return missing === "pass" ? request : forbidden;
      if (pinned !== null && !pinned.has(certificate.fingerprint256)) return forbidden;
      return andThen(owner(certificate, request), (found) => {
        if (found === null || found.user === "") return forbidden;
        const { groups = [], claims = claimsOf(certificate) } = found;
        return withPrincipal(request, { user: found.user, type: "certificate", groups, claims });
      });
    },
  });
}

/** The owner that one name of a certificate makes. The pure step of `clientCertificate`. */
export function namedOwner(
  certificate: ClientCertificate,
  name: NonNullable<ClientCertificateOptions["user"]>,
): KeyOwner | null {
  const user = certificate[name];
  return user === null ? null : { user };
}

function claimsOf({ x509, serial, fingerprint256, email }: ClientCertificate): KeyOwner["claims"] & object {
  const names = { subject: x509.subject, issuer: x509.issuer };
  return { ...names, serial, fingerprint256, ...(email !== null && { email }) };
}

function checkedFingerprint(text: string): string {
  const plain = text.replaceAll(":", "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(plain)) return plain;
  throw new GatewayError("GW_CLIENT_CERTIFICATE", 500, `${JSON.stringify(text)} is no SHA-256 fingerprint`);
}
