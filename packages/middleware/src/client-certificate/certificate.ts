// A client's certificate: where it is found, and the names in it that can be a user's.
import { X509Certificate } from "node:crypto";
import type { GatewayRequest } from "@gw/core";

/** What is known of a client's certificate. Text. */
export interface ClientCertificate {
  /** Common name of the subject; `null` if there is none, or more than one. */
  readonly commonName: string | null;
  /** Mail address of the subject's alternative names; `null` if there is none, or more than one. */
  readonly email: string | null;
  /** URI of the subject's alternative names, such as `spiffe://…`; `null` if there is none, or more than one. */
  readonly uri: string | null;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint256: string;
  /** Serial number, hexadecimal. */
  readonly serial: string;
  /** The whole certificate. */
  readonly x509: X509Certificate;
}

/** The certificate of the TLS connection, which the carrier has verified against its authorities; `null` if there is none. */
export function connectionCertificate({ tls }: GatewayRequest): ClientCertificate | null {
  const [leaf] = tls?.peerCertificates() ?? [];
  return leaf === undefined ? null : readCertificate(leaf.der);
}

/**
 * The certificate that a front server has verified: variables SSL_CLIENT_VERIFY and SSL_CLIENT_CERT.
 *
 * The certificate is PEM (mod_ssl), PEM percent-encoded (`$ssl_client_escaped_cert` of nginx), PEM with tabs (`$ssl_client_cert`)
 * or a byte sequence of RFC 9440.
 */
export function frontCertificate({ params }: GatewayRequest): ClientCertificate | null {
  if (params.get("SSL_CLIENT_VERIFY") !== "SUCCESS") return null;
  const der = derOf(params.get("SSL_CLIENT_CERT") ?? "");
  return der === null ? null : readCertificate(der);
}

const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;
const PEM = /^\s*-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----\s*$/;

function derOf(value: string): Buffer | null {
  const text = value.startsWith("-----BEGIN%20") ? plainText(value) : value;
  const body = PEM.exec(text)?.[1] ?? /^:(.*):$/.exec(text)?.[1];
  return body === undefined || !BASE64.test(body.trim()) ? null : Buffer.from(body, "base64");
}

function plainText(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return "";
  }
}

function readCertificate(der: Uint8Array): ClientCertificate | null {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(der);
  } catch {
    return null;
  }
  const { CN } = x509.toLegacyObject().subject as { CN?: string | string[] };
  return {
    commonName: typeof CN === "string" && CN !== "" ? CN : null,
    email: alternativeName(x509, "email"),
    uri: alternativeName(x509, "URI"),
    fingerprint256: x509.fingerprint256.replaceAll(":", "").toLowerCase(),
    serial: x509.serialNumber,
    x509,
  };
}

/** The only alternative name of a kind. Names with odd chars are quoted by the runtime, and are nobody's here (CVE-2021-44532). */
function alternativeName({ subjectAltName = "" }: X509Certificate, kind: string): string | null {
  if (subjectAltName.includes('"')) return null;
  const names = subjectAltName.split(", ").filter((name) => name.startsWith(`${kind}:`));
  return names.length === 1 ? (names[0] as string).slice(kind.length + 1) : null;
}
