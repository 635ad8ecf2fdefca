// What is known of a TLS connection, for `request.tls`.
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { PeerCertificate, TlsInfo } from "@gw/core";

/** The facts of a TLS connection whose handshake is done. */
export function readTlsInfo(socket: TLSSocket): TlsInfo {
  const { servername } = socket as TLSSocket & { servername?: string | false };
  // Now or never: a socket that has closed has forgotten them.
  const certificates = socket.authorized ? chainOf(socket.getPeerCertificate(true)) : [];
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    serverName: typeof servername === "string" ? servername : null,
    peerCertificates: () => certificates,
  };
}

function chainOf(leaf: DetailedPeerCertificate): PeerCertificate[] {
  const chain: PeerCertificate[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw !== undefined) {
    chain.push({
      subject: nameText(certificate.subject),
      issuer: nameText(certificate.issuer),
      serial: certificate.serialNumber,
      fingerprint256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
      der: certificate.raw,
    });
    // A self-signed root is its own issuer.
    certificate = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate;
  }
  return chain;
}

/** A distinguished name as RFC 2253 writes it: last part first, special chars escaped. */
function nameText(name: object): string {
  const parts = Object.entries(name as Record<string, string | string[]>).flatMap(([type, value]) =>
    (typeof value === "string" ? [value] : value).map((one) => `${type}=${escapePart(one)}`),
  );
  return parts.reverse().join(",");
}

function escapePart(value: string): string {
  return value
    .replace(/[,+"\\<>;=]/g, "\\$&")
    .replace(/^[ #]| $/g, "\\$&")
    .replaceAll("\0", "\\00");
}
