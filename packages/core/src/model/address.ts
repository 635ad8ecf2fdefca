// Where a peer or a listener is, and what is known of its TLS connection.

/** An address: host and port, or the path of a unix socket (`""` for an unnamed one). */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** A certificate of the peer, DER and the fields that variables need. */
export interface PeerCertificate {
  /** Distinguished name of the subject, RFC 2253 text. */
  readonly subject: string;
  /** Distinguished name of the issuer, RFC 2253 text. */
  readonly issuer: string;
  /** Serial number, hexadecimal. */
  readonly serial: string;
  /** SHA-256 fingerprint, lower-case hexadecimal without colons. */
  readonly fingerprint256: string;
  /** The certificate, DER. */
  readonly der: Uint8Array;
}

/** What is known of the TLS connection that carried a request. */
export interface TlsInfo {
  /** Protocol version, `"TLSv1.3"`. */
  readonly version: string;
  /** Cipher suite, its standard (IANA) name. */
  readonly cipher: string;
  /** Name the client asked for (SNI), or `null`. */
  readonly serverName: string | null;
  /** Certificates of the client, leaf first; empty if it sent none or none was verified. */
  peerCertificates(): readonly PeerCertificate[];
}
