// The TLS extension of a scope (ASGI TLS extension 0.2).
import { X509Certificate } from "node:crypto";
import { bytesToByteString, type PeerCertificate, type TlsInfo } from "@gw/core";
import { cipherSuiteName, cipherSuiteNumber } from "./cipher-suites.ts";
import type { TlsExtension } from "./scopes.ts";

const VERSIONS: Readonly<Record<string, number>> = {
  SSLv3: 0x0300,
  TLSv1: 0x0301,
  "TLSv1.1": 0x0302,
  "TLSv1.2": 0x0303,
  "TLSv1.3": 0x0304,
};

const known = new WeakMap<TlsInfo, TlsExtension>();

/** What the extension tells of a connection; made once for each. */
export function tlsExtension(tls: TlsInfo): TlsExtension {
  let extension = known.get(tls);
  if (extension === undefined) {
    extension = describe(tls);
    known.set(tls, extension);
  }
  return extension;
}

function describe(tls: TlsInfo): TlsExtension {
  const certificates = tls.peerCertificates();
  return {
    server_cert: null,
    client_cert_chain: certificates.map(({ der }) => toPem(der)),
    client_cert_name: certificates[0]?.subject ?? null,
    client_cert_error: null,
    tls_version: VERSIONS[tls.version] ?? null,
    cipher_suite: cipherSuiteNumber(tls.cipher),
  };
}

/** DER → PEM (RFC 7468). */
export function toPem(der: Uint8Array): string {
  const lines = btoa(bytesToByteString(der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** The other direction: what an ASGI server tells of a connection. */
export function tlsInfo({ tls_version, cipher_suite, client_cert_chain = [] }: TlsExtension): TlsInfo {
  const version = Object.keys(VERSIONS).find((name) => VERSIONS[name] === tls_version) ?? "TLS";
  return {
    version,
    cipher: cipher_suite === null ? "" : (cipherSuiteName(cipher_suite) ?? ""),
    serverName: null,
    peerCertificates: () => Array.from(client_cert_chain, readCertificate),
  };
}

function readCertificate(pem: string): PeerCertificate {
  const { subject, issuer, serialNumber, fingerprint256, raw } = new X509Certificate(pem);
  return {
    subject: distinguishedName(subject),
    issuer: distinguishedName(issuer),
    serial: serialNumber,
    fingerprint256: fingerprint256.replaceAll(":", "").toLowerCase(),
    der: raw,
  };
}

/** Node writes one attribute on each line, in the order of the certificate; RFC 2253 wants them reversed, with commas. */
function distinguishedName(lines: string): string {
  return lines.split("\n").reverse().join(",");
}
